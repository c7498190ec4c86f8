"""Writes template.yaml as CloudFormation sees it, for scripts/cloudlint.sh.

    cloudlint.py [NAME=VALUE...] > template.json

SAM is translated with the parameters given, and the workflow's definition, which linters of templates do not follow, is put into
its resource.
"""
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    def load(self):
        sys.exit("cloudlint: a role of SAM's own making was asked for")


with open("template.yaml", encoding="utf-8") as f:
    template = yaml_parse(f)
for name, resource in template["Resources"].items():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = f"s3://artifacts/{name}"
    elif resource["Type"] == "AWS::Serverless::StateMachine":
        file = resource["Properties"]["DefinitionUri"]
        resource["Properties"]["DefinitionUri"] = f"s3://artifacts/{file}"
template["Globals"]["Function"].pop("CodeUri")
template = transform(template, dict(p.split("=", 1) for p in sys.argv[1:]), NoManagedPolicies())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::StepFunctions::StateMachine":
        properties = resource["Properties"]
        with open(properties.pop("DefinitionS3Location")["Key"], encoding="utf-8") as f:
            # cfn-lint wants to see ARNs as they will be.
            properties["Definition"] = json.loads(f.read().replace("${Partition}", "aws"))
        del properties["DefinitionSubstitutions"]["Partition"]
json.dump(template, sys.stdout, indent=1, default=str)
