"""Looking into rendered manifests."""

from pathlib import Path

K8S = Path(__file__).parents[2] / "k8s"
PARTS = {"base", "serving/server", "serving/canary/stable", "serving/canary/new"}  # never applied
ROOTS = sorted(
    {str(file.parent.relative_to(K8S)) for file in K8S.rglob("kustomization.yaml")} - PARTS
)
PASSWORD = "made-up-for-the-tests"


def of_kind(objects, kind, name=None):
    """The objects of a kind; with `name`: the only one of that name."""
    found = [o for o in objects if o["kind"] == kind and name in (None, o["metadata"]["name"])]
    if name is None:
        return found
    assert len(found) == 1, f"{kind} {name}: {len(found)} of {[o['kind'] for o in objects]}"
    return found[0]


def pod_specs(objects):
    """Every pod specification as (owner's name, labels, spec)."""
    for o in objects:
        if o["kind"] == "Pod":
            yield o["metadata"]["name"], o["metadata"].get("labels", {}), o["spec"]
        elif "template" in o.get("spec", {}):
            template = o["spec"]["template"]
            yield o["metadata"]["name"], template["metadata"]["labels"], template["spec"]


def matches(selector, labels):
    """Whether a Kubernetes label selector (matchLabels, In, Exists) selects a pod."""
    expressions = {
        "In": lambda e: labels.get(e["key"]) in e["values"],
        "Exists": lambda e: e["key"] in labels,
    }
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        expressions[e["operator"]](e) for e in selector.get("matchExpressions", [])
    )


def lets_in(policy, labels):
    """Whether one of the policy's ingress rules lets pods with these labels in."""
    return any(
        matches(peer["podSelector"], labels)
        for rule in policy["spec"]["ingress"]
        for peer in rule["from"]
    )
