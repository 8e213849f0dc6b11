"""Memorable names for runs."""

import secrets

__all__ = ["memorable_name"]

_MANNERS = (
    "amber brave brisk calm clear cosy crisp deft eager early even fair fleet fond frank fresh gentle "
    "glad grand hardy keen kind late light lively loyal lucky mellow merry mild neat noble patient "
    "plain proud quick quiet ready round sharp silent sober solid spry steady still subtle sunny "
    "swift tidy true upbeat vivid warm wise witty"
).split()
_BIRDS = (
    "avocet bittern bunting buzzard crane curlew dipper dove dunlin eider falcon finch gannet godwit "
    "goose grebe gull harrier heron hobby ibis jackdaw jay kestrel kite knot lapwing lark linnet "
    "magpie martin merlin osprey ouzel owl petrel pipit plover quail rail raven robin rook ruff "
    "sandpiper shrike siskin snipe sparrow starling stork swallow swan swift teal tern thrush vireo "
    "wagtail warbler wren"
).split()


def memorable_name() -> str:
    """A manner, a bird and a number below 100: brisk-heron-12."""
    return f"{secrets.choice(_MANNERS)}-{secrets.choice(_BIRDS)}-{secrets.randbelow(100)}"
