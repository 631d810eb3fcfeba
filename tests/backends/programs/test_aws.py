"""Amazon's log-in programs, as their tools and eksctl write them into a kubeconfig."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcks.auth import aws
from mcks.backends.programs.aws import EKS
from mcks.errors import ConfigError
from tests.backends.exec_stanzas import of_exec, of_exec_in

EKS_LOGIN = aws.Login(region="eu-west-1", session_name="EKSGetTokenAuth")


def test_as_update_kubeconfig_writes_it() -> None:
    args = ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "hub"]
    found = of_exec("aws", *args, "--output", "json")
    assert found == EKS(EKS_LOGIN, "hub")


def test_with_role_and_profile() -> None:
    args = ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "hub"]
    found = of_exec("aws", *args, "--role", "arn:r", AWS_PROFILE="p")
    login = aws.Login("eu-west-1", "p", "arn:r", session_name="EKSGetTokenAuth")
    assert found == EKS(login, "hub")


def test_in_any_order_and_spelling() -> None:
    args = ["eks", "--profile=p", "get-token", "--role-arn=arn:r", "--cluster-name=hub"]
    found = of_exec("/opt/aws.exe", *args, "--region", "eu-west-1")
    login = aws.Login("eu-west-1", "p", "arn:r", session_name="EKSGetTokenAuth")
    assert found == EKS(login, "hub")


def test_on_an_outpost() -> None:
    found = of_exec("aws", "eks", "get-token", "--cluster-id", "1234", "--region", "eu-west-1")
    assert found == EKS(EKS_LOGIN, "1234")


def test_keys_and_regions_of_the_environment() -> None:
    found = of_exec(
        "aws",
        *("eks", "get-token", "--cluster-name", "hub"),
        AWS_DEFAULT_REGION="eu-west-1",
        AWS_ACCESS_KEY_ID="AKIA",
        AWS_SECRET_ACCESS_KEY="SECRET",
        AWS_STS_REGIONAL_ENDPOINTS="legacy",
    )
    assert isinstance(found, EKS)
    assert (found.login.region, found.login.access_key_id) == ("eu-west-1", "AKIA")
    assert found.login.sts_regional_endpoints == "legacy"
    assert "SECRET" not in repr(found)


@pytest.mark.parametrize("command", ["aws-iam-authenticator", "heptio-authenticator-aws"])
@pytest.mark.parametrize(
    "args",
    [
        ("token", "-i", "hub", "-r", "arn:r", "-e", "ext", "-s", "me"),
        ("token", "--cluster-id=hub", "--role=arn:r", "--external-id=ext", "--session-name=me"),
    ],
)
def test_as_aws_iam_authenticator_has_it(command: str, args: tuple[str, ...]) -> None:
    env = {"AWS_STS_REGIONAL_ENDPOINTS": "regional", "AWS_DEFAULT_REGION": "eu-west-1"}
    found = of_exec(command, *args, **env)
    assert found == EKS(aws.Login("eu-west-1", "", "arn:r", "ext", "me", "regional"), "hub")


def test_the_authenticators_default_role_and_region() -> None:
    env = {"DEFAULT_ROLE": "arn:d", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "x"}
    found = of_exec("aws-iam-authenticator", "token", "-i", "hub", **env)
    assert isinstance(found, EKS)
    assert (found.login.role_arn, found.login.region) == ("arn:d", "eu-west-1")


def test_a_forwarded_session_name_is_warned_about() -> None:
    found = of_exec("aws-iam-authenticator", "token", "-i", "hub", "--forward-session-name")
    assert isinstance(found, EKS)
    assert "session" in found.warning


@pytest.mark.parametrize(
    ("args", "env", "message"),
    [
        (("--endpoint-url", "https://evil"), {}, "not sent elsewhere"),
        ((), {"AWS_ENDPOINT_URL_STS": "https://evil"}, "not sent elsewhere"),
        ((), {"AWS_CONFIG_FILE": "/x"}, "AWS_CONFIG_FILE in exec.env is not understood"),
        (("--no-verify-ssl",), {}, "--no-verify-ssl is not understood"),
        (("--region",), {}, "--region has no value"),
    ],
)
def test_what_would_be_lost_or_sent_elsewhere_is_refused(
    args: tuple[str, ...], env: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        of_exec("aws", "eks", "get-token", "--cluster-name", "hub", *args, **env)


def test_a_stanza_without_a_cluster_is_refused() -> None:
    with pytest.raises(ConfigError, match="name no cluster"):
        of_exec("aws", "eks", "get-token")


@pytest.mark.parametrize(
    "args", [("sts", "get-caller-identity"), ("eks", "describe-cluster"), ("get-token",), ()]
)
def test_other_commands_of_aws_are_unknown_plugins(args: tuple[str, ...]) -> None:
    assert of_exec("aws", *args) is None


def test_other_commands_of_the_authenticator_are_unknown_plugins() -> None:
    assert of_exec("aws-iam-authenticator", "verify", "-i", "x") is None


HUB = ("eks", "get-token", "--cluster-name", "hub", "--region", "eu-west-1")
KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "k", "AWS_SESSION_TOKEN": "st"}


def test_a_profile_that_is_an_argument_hides_keys_in_the_environment() -> None:
    found = of_exec("aws", *HUB, "--profile", "p", **KEYS)
    assert found == EKS(replace(EKS_LOGIN, profile="p"), "hub")


def test_keys_in_the_environment_win_over_a_profile_there() -> None:
    found = of_exec("aws", *HUB, **KEYS, AWS_PROFILE="p")
    assert isinstance(found, EKS)
    assert (found.login.access_key_id, found.login.session_token) == ("AKIA", "st")


@pytest.mark.parametrize(
    "names", [["AWS_ACCESS_KEY_ID"], ["AWS_SECRET_ACCESS_KEY"], ["AWS_SESSION_TOKEN"]]
)
def test_half_a_key_is_refused(names: list[str]) -> None:
    env = {name: KEYS[name] for name in names}
    with pytest.raises(ConfigError, match="are needed both"):
        of_exec("aws", *HUB, **env)


def test_a_sessions_name() -> None:
    found = of_exec("aws", *HUB, "--role-arn", "arn:r", "--session-name", "me")
    assert found == EKS(replace(EKS_LOGIN, role_arn="arn:r", session_name="me"), "hub")


def test_variables_that_change_nothing() -> None:
    found = of_exec("aws", *HUB, AWS_PAGER="", AWS_DEFAULT_OUTPUT="text", AWS_MAX_ATTEMPTS="2")
    assert found == EKS(EKS_LOGIN, "hub")


@pytest.mark.parametrize(
    "name",
    ["AWS_ROLE_ARN", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED"],
)
def test_other_variables_are_refused_by_name(name: str) -> None:
    for command, args in (("aws", HUB), ("aws-iam-authenticator", ("token", "-i", "hub"))):
        with pytest.raises(ConfigError, match=f"{name} in exec.env is not understood"):
            of_exec(command, *args, **{name: "x"})


def test_the_authenticators_own_variables_count_from_the_stanza_or_else_the_hub() -> None:
    names = {"DEFAULT_ROLE": "arn:hubs", "KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID": "hubs"}
    found = of_exec_in(names, "aws-iam-authenticator", "token")
    assert isinstance(found, EKS)
    assert (found.login.role_arn, found.cluster) == ("arn:hubs", "hubs")
    found = of_exec_in(names, "aws-iam-authenticator", "token", DEFAULT_ROLE="arn:own")
    assert isinstance(found, EKS)
    assert found.login.role_arn == "arn:own"
    found = of_exec_in(names, "aws-iam-authenticator", "token", "-r", "arn:arg", "-iarg")
    assert isinstance(found, EKS)
    assert (found.login.role_arn, found.cluster) == ("arn:arg", "arg")


def test_the_authenticators_variables_mean_nothing_to_aws() -> None:
    with pytest.raises(ConfigError, match=r"DEFAULT_ROLE in exec\.env is not understood"):
        of_exec("aws", *HUB, DEFAULT_ROLE="arn:r")
    assert of_exec_in({"DEFAULT_ROLE": "arn:r"}, "aws", *HUB) == EKS(EKS_LOGIN, "hub")
