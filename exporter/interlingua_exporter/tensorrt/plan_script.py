"""The shell script that builds a plan with trtexec.

inputs, profiles --trtexec_command--> argument list --build_script--> build_plan.sh

Flags are those of trtexec's own parser (NVIDIA/TensorRT samples/common/sampleOptions.cpp, releases 10 and 11). The
version check is for int64 inputs, which TensorRT takes from 10 on, as Triton's backend does (release 24.05).
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from interlingua_exporter.publication.tensorrt_profiles import trtexec_shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua_exporter.publication.tensorrt_profiles import Profile

UNFINISHED = "plan/model.plan.part"
TIMING_CACHE = "timing.cache"
WORKSPACE_MIB = 4096

_SCRIPT = """\
#!/usr/bin/env bash
# Builds plan/model.plan of model.onnx, for the TensorRT and the GPU of the container it runs in, and for no other.
# Written by `interlingua export`. Without trtexec, build_plan.py does the same through TensorRT's Python API.
set -euo pipefail
cd "$(dirname "${{BASH_SOURCE[0]}}")"

fail() {{
    echo "error: $*" >&2
    exit 1
}}

trtexec=$(command -v trtexec || true)
trtexec=${{trtexec:-/usr/src/tensorrt/bin/trtexec}}
[ -x "$trtexec" ] || fail "no trtexec on PATH nor in /usr/src/tensorrt/bin: run this in the serving container," \\
    "or in NVIDIA's TensorRT container of the same release, or run build_plan.py"
nvidia-smi --list-gpus >/dev/null 2>&1 || fail "no GPU to be seen: docker run --gpus all"

banner=$("$trtexec" --help 2>&1 || true)
version=$(sed -n 's/.*\\[TensorRT v\\([0-9][0-9]*\\)\\].*/\\1/p' <<<"$banner" | sed 1q)
[ -n "$version" ] || fail "$trtexec does not say which TensorRT it is of"
[ "$version" -ge 100000 ] || fail "TensorRT $version does not take int64 inputs: 10 or newer is needed"

mkdir -p plan
{command}
mv {unfinished} plan/model.plan
gpus=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader)
echo "TensorRT $version; $gpus" >plan_built_with.txt
echo 'plan/model.plan is built; publish this folder with: interlingua export plan FOLDER'
"""


def trtexec_command(inputs: Sequence[str], profiles: Sequence[Profile]) -> list[str]:
    """The arguments after `trtexec`, to be run in the build folder."""
    return [
        "--onnx=model.onnx",
        f"--saveEngine={UNFINISHED}",
        "--stronglyTyped",
        *trtexec_shapes(inputs, profiles),
        f"--timingCacheFile={TIMING_CACHE}",
        f"--memPoolSize=workspace:{WORKSPACE_MIB}M",
        "--skipInference",
    ]


def build_script(inputs: Sequence[str], profiles: Sequence[Profile]) -> str:
    """The whole of build_plan.sh."""
    lines = ['"$trtexec"', *(f"    {shlex.quote(argument)}" for argument in trtexec_command(inputs, profiles))]
    return _SCRIPT.format(command=" \\\n".join(lines), unfinished=shlex.quote(UNFINISHED))
