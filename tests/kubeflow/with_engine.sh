#!/usr/bin/env bash
# Runs a command with MariaDB installed, a Docker engine answering and the image sentiflow:cpu built.
#
# What is missing is installed from Debian, which needs root; without root, or where an engine cannot
# start, it says so, and the tests run the tasks as processes. An engine that it starts it also stops.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly state=${TMPDIR:-/tmp}/sentiflow-engine  # absolute and short: sockets lie in it
readonly python=.venv/bin/python
readonly official=python:3.11-slim-bookworm

say() { echo "== $*" >&2; }

install_from_debian() {
    local missing=()
    for name in "$@"; do
        dpkg --status "$name" >/dev/null 2>&1 || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ]; then
        say "not installed, which needs root: apt-get install ${missing[*]}"
        return 1
    fi
    say "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

start_engine() {
    docker info >/dev/null 2>&1 && return
    install_from_debian docker.io containerd runc iptables || return
    say "starting a Docker engine"
    mkdir -p "$state"
    dockerd --data-root="$state/data" --exec-root="$state/exec" --pidfile="$state/pid" \
        --host="unix://$state/socket" >"$state/log" 2>&1 &
    trap 'kill "$(cat "$state/pid")"; wait' EXIT
    export DOCKER_HOST=unix://$state/socket
    for _ in $(seq 60); do
        docker info >/dev/null 2>&1 && return
        sleep 1
    done
    say "the Docker engine does not start: $(tail -1 "$state/log")"
    return 1
}

# A base of Debian's own packages, for where no image registry is reached.
bootstrap() {
    local image=$1 packages=$2
    docker image inspect "$image" >/dev/null 2>&1 && return
    rm -rf "$state/${image%%:*}"
    debootstrap --variant=minbase --include="$packages" bookworm "$state/${image%%:*}" >/dev/null
    tar -C "$state/${image%%:*}" -c . | docker import - "$image" >/dev/null
    rm -rf "$state/${image%%:*}"
}

build_image() {
    local options=()
    if ! docker pull --quiet "$official" >/dev/null 2>&1; then
        say "no image registry: making the base images with debootstrap, bringing the wheels along"
        install_from_debian debootstrap || return
        mkdir -p "$state" .images/wheels
        bootstrap sentiflow-base:bookworm python3.11,ca-certificates &
        local base=$!
        bootstrap sentiflow-build-base:bookworm python3.11-dev,python3.11-venv,ca-certificates,g++ &
        local build_base=$!
        $python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
            -r requirements.txt -r requirements-uv.txt -d .images/wheels
        wait $base $build_base || return
        options=(
            --build-arg BASE_IMAGE=sentiflow-base:bookworm
            --build-arg BUILD_IMAGE=sentiflow-build-base:bookworm
            --build-arg WHEELS=/source/wheels
        )
    fi
    say "building sentiflow:cpu"
    # The classic builder: the other one is a plug-in that Debian's package lacks.
    DOCKER_BUILDKIT=0 docker build --quiet --target cpu --tag sentiflow:cpu "${options[@]}" .
}

install_from_debian mariadb-server || say "without MariaDB the tests that need it are skipped"
if ! { start_engine && build_image; }; then
    say "no containers: the tasks will run as processes"
    export SENTIFLOW_TEST_PROCESSES=1  # an image of another day would not do
fi
"$@"
