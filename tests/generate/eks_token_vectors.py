"""Writes tests/auth/eks_token_vectors.json: tokens that ``aws eks get-token`` made.

    python -m tests.generate.eks_token_vectors PATH_OF_THE_AWS_COMMAND

The command works without a network: a token is only a signature. The keys are made up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

OUTPUT = Path(__file__).parents[1] / "auth" / "eks_token_vectors.json"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "SecretKeyExample"}
SESSION = KEYS | {"AWS_SESSION_TOKEN": "session/token+with=signs" * 8}

CASES: dict[str, tuple[str, dict[str, str]]] = {
    "static keys": ("eu-west-1", KEYS),
    "session token": ("eu-west-1", SESSION),
    "us-east-1": ("us-east-1", KEYS),
    "legacy global endpoint": ("eu-west-1", KEYS | {"AWS_STS_REGIONAL_ENDPOINTS": "legacy"}),
    "China": ("cn-north-1", KEYS),
    "GovCloud": ("us-gov-west-1", SESSION),
    "FIPS": ("us-east-2", KEYS | {"AWS_USE_FIPS_ENDPOINT": "true"}),
    "dualstack": ("us-west-2", KEYS | {"AWS_USE_DUALSTACK_ENDPOINT": "true"}),
}


def token(command: str, region: str, environment: dict[str, str], cluster: str) -> str:
    """Let the real command make a token."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    isolated = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    arguments = ["--region", region, "eks", "get-token", "--cluster-name", cluster]
    done = subprocess.run(
        [command, *arguments, "--output", "json"],
        env=clean | isolated | environment,
        capture_output=True,
        check=True,
        text=True,
    )
    answer: str = json.loads(done.stdout)["status"]["token"]
    return answer


def main(command: str) -> None:
    """Write all vectors."""
    vectors = [
        {
            "name": name,
            "region": region,
            "environment": environment,
            "cluster": "hub-1",
            "token": token(command, region, environment, "hub-1"),
        }
        for name, (region, environment) in CASES.items()
    ]
    OUTPUT.write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
