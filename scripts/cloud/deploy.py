"""Deploys this project's template for scripts/cloud.sh: SAM → CloudFormation → moto, and tells what there is now.

    deploy.py ENGINE RECORDS S3 DYNAMODB STACK NAME=VALUE...

ENGINE, S3 and DYNAMODB are the URLs of engine.py, of an S3 server and of a DynamoDB server, RECORDS is engine.py's, NAME=VALUE are
parameters of the template; an empty DYNAMODB leaves the table to others. The buckets and the table are made on those servers too, as the template says. The file STACK then
describes the stack as it was deployed, for internal/cloudtest.
"""
import ast
import collections
import json
import os
import re
import sys
import time
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

import boto3  # noqa: E402
from botocore.config import Config  # noqa: E402
from moto.cloudformation.parsing import get_model_map  # noqa: E402
from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

engine, records, s3_url, dynamodb_url, out = sys.argv[1:6]
parameters = dict(p.split("=", 1) for p in sys.argv[6:])
STACK = "cairn-e2e"


def client(service, url=engine):
    return boto3.client(service, endpoint_url=url, config=Config(retries={"mode": "standard"}, s3={"addressing_style": "path"}))


class NoManagedPolicies:
    def load(self):
        return {}


def package(template):
    """What `sam package` does: code and workflow are where CloudFormation finds them."""
    for logical, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = f"s3://artifacts/{logical}"
        elif resource["Type"] == "AWS::Serverless::StateMachine":
            properties["DefinitionUri"] = f"s3://artifacts/{properties['DefinitionUri']}"


def inline(template):
    """moto reads no definition from S3: the same text, with the same substitutions, goes into the template."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            properties = resource["Properties"]
            with open(properties.pop("DefinitionS3Location")["Key"], encoding="utf-8") as f:
                text = f.read()
            values = properties.pop("DefinitionSubstitutions")
            parts = re.split(r"\$\{(\w+)\}", text)  # not Fn::Sub, which makes $ of $$ in moto
            parts[1::2] = [values[name] for name in parts[1::2]]
            properties["DefinitionString"] = {"Fn::Join": ["", parts]}


def translate():
    with open("template.yaml", encoding="utf-8") as f:
        template = yaml_parse(f)
    package(template)
    template = transform(template, dict(parameters), NoManagedPolicies())
    inline(template)
    return template


def deploy(template):
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    resources = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    return [r for r in resources if "ResourceType" in r]  # without those whose condition is false


def read_records():
    if not os.path.exists(records):
        return []
    with open(records, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def of_type(resources, kind):
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources if r["ResourceType"] == kind}


def statements(role):
    iam = client("iam")
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield from ast.literal_eval(document)["Statement"]  # CloudFormation's Roles keep the dict's repr in moto


def functions(resources):
    lambdas = client("lambda")
    for logical, name in of_type(resources, "AWS::Lambda::Function").items():
        about = lambdas.get_function(FunctionName=name)
        config = about["Configuration"]
        role = config["Role"].rsplit("/", 1)[-1]
        yield logical, {
            "name": name,
            "arn": config["FunctionArn"],
            "timeout": config["Timeout"],
            "memory": config["MemorySize"],
            "reserved": about.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
            "environment": {k: str(v) for k, v in config["Environment"]["Variables"].items()},
            "statements": list(statements(role)),
        }


def queues():
    sqs = client("sqs")
    for mapping in client("lambda").list_event_source_mappings()["EventSourceMappings"]:
        queue = mapping["EventSourceArn"].rsplit(":", 1)[-1]
        yield {
            "url": sqs.get_queue_url(QueueName=queue)["QueueUrl"],
            "arn": mapping["EventSourceArn"],
            "function": mapping["FunctionArn"],
            "batch": mapping["BatchSize"],
        }


def clocks():
    events = client("events")
    for rule in events.list_rules()["Rules"]:
        if "ScheduleExpression" in rule:
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                yield {"expression": rule["ScheduleExpression"], "function": target["Arn"], "input": target["Input"]}


def make_buckets(resources):
    s3 = client("s3", s3_url)
    there = {b["Name"] for b in s3.list_buckets()["Buckets"]}
    for name in of_type(resources, "AWS::S3::Bucket").values():
        if name not in there:
            s3.create_bucket(Bucket=name)


def make_tables(resources):
    dynamodb, theirs = client("dynamodb", dynamodb_url), client("dynamodb")
    for name in of_type(resources, "AWS::DynamoDB::Table").values():
        table = theirs.describe_table(TableName=name)["Table"]
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=table["AttributeDefinitions"],
            KeySchema=table["KeySchema"],
        )


def main():
    began = time.monotonic()
    template = translate()
    resources = deploy(template)
    make_buckets(resources)
    if dynamodb_url:
        make_tables(resources)
    kept = read_records()
    stack = {
        "functions": dict(functions(resources)),
        "resources": {r["LogicalResourceId"]: r.get("PhysicalResourceId", "") for r in resources},
        "queues": list(queues()),
        "clocks": list(clocks()),
        "records": kept,
    }
    with open(out, "w", encoding="utf-8") as f:
        json.dump(stack, f, indent=1)
    made = collections.Counter(r["ResourceType"] for r in resources if r["ResourceType"] in get_model_map())
    print(f"deployed in {time.monotonic() - began:.1f} s with moto's CloudFormation:", ", ".join(f"{n} {k}" for k, n in sorted(made.items())))
    only = collections.Counter(r["type"] for r in kept)
    print("resolved and recorded, for moto does not know them:", ", ".join(f"{n} {k}" for k, n in sorted(only.items())) or "none")


main()
