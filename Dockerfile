# Two images from one file: `cpu` for every node of the pipeline, `gpu` for a Trainer with GPUs.
#
#   docker build --target cpu --tag sentiflow:cpu .
#   docker build --target gpu --tag sentiflow:gpu .
#
# BASE_IMAGE needs Python 3.11 and glibc 2.28 or newer; BUILD_IMAGE the same Python, its venv module
# and a C++ compiler, for the packages that come as sources.
# WHEELS=/source/wheels installs what has been downloaded to .images/wheels, without a network.
ARG BASE_IMAGE=python:3.11-slim-bookworm
ARG BUILD_IMAGE=python:3.11-bookworm

FROM ${BUILD_IMAGE} AS installer
ARG WHEELS
WORKDIR /source
COPY requirements-uv.txt .images/wheel[s] ./wheels/
RUN export WHEELS ${WHEELS:+PIP_NO_INDEX=1 PIP_FIND_LINKS=$WHEELS} \
    && python3.11 -m venv /opt/uv \
    && /opt/uv/bin/python -m pip install --quiet --no-cache-dir --require-hashes \
        -r wheels/requirements-uv.txt \
    && /opt/uv/bin/uv venv --quiet --python python3.11 /opt/sentiflow
ENV VIRTUAL_ENV=/opt/sentiflow UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy

# What is left at run time: Python, the packages and an unprivileged user; nothing to install with.
FROM ${BASE_IMAGE} AS runtime
RUN find / -xdev -depth -path '*python3*' \
        \( -name pip -o -name 'pip-*' -o -name setuptools -o -name 'setuptools-*' -o -name wheel \
           -o -name 'wheel-*' -o -name ensurepip \) -exec rm -rf {} + \
    && groupadd --gid 10001 sentiflow \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp sentiflow
# Nothing is written below the root file system: bytecode is compiled, caches and scratch go to /tmp.
ENV PATH=/opt/sentiflow/bin:/opt/code/bin:$PATH \
    PYTHONPATH=/opt/code \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    TF_CPP_MIN_LOG_LEVEL=1
USER 10001:10001
WORKDIR /tmp

FROM installer AS cpu-packages
ARG WHEELS
COPY requirements.txt ./
RUN export WHEELS ${WHEELS:+UV_OFFLINE=1 UV_FIND_LINKS=$WHEELS} \
    && /opt/uv/bin/uv pip sync --quiet --require-hashes requirements.txt

# A layer of its own: a change of the code moves kilobytes to the registry, not the packages.
FROM cpu-packages AS code
COPY pyproject.toml README.md ./
COPY schema schema
COPY components components
COPY pipeline pipeline
RUN /opt/uv/bin/uv pip install --quiet --no-deps --no-build-isolation --target /opt/code .

FROM runtime AS cpu
COPY --from=cpu-packages /opt/sentiflow /opt/sentiflow
COPY --from=code /opt/code /opt/code

FROM installer AS gpu-packages
ARG WHEELS
COPY requirements-gpu.txt ./
RUN export WHEELS ${WHEELS:+UV_OFFLINE=1 UV_FIND_LINKS=$WHEELS} \
    && /opt/uv/bin/uv pip sync --quiet --require-hashes requirements-gpu.txt

FROM runtime AS gpu
COPY --from=gpu-packages /opt/sentiflow /opt/sentiflow
COPY --from=code /opt/code /opt/code
