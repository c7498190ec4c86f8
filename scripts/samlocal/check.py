"""Makes what the functions need of the emulated AWS, and holds what SAM's API answers against what `cairn refresh` makes.

    check.py deploy TEMPLATE WORKFLOW RASTERS CONFIG    buckets with the rasters and the config; the template's table and workflow
    check.py api URL CATALOG                            refreshes through the API at URL; CATALOG is a folder that `cairn refresh`
                                                        made of the same bucket
"""
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request

import boto3
from samcli.yamlhelper import yaml_parse

SOURCE, CATALOG, TABLE, STATE_MACHINE = "imagery", "catalog", "Table", "local-refresh"  # the last two as SAM calls them locally
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:" + STATE_MACHINE  # SAM's account on a laptop, and moto's


def deploy(template, workflow, rasters, config):
    s3 = boto3.client("s3")
    for bucket in (SOURCE, CATALOG):
        s3.create_bucket(Bucket=bucket)
    rasters = pathlib.Path(rasters)
    for file in sorted(f for f in rasters.rglob("*") if f.is_file()):
        s3.put_object(Bucket=SOURCE, Key=file.relative_to(rasters).as_posix(), Body=file.read_bytes())
    s3.put_object(Bucket=CATALOG, Key="cairn.yaml", Body=pathlib.Path(config).read_bytes())

    resources = yaml_parse(pathlib.Path(template).read_text())["Resources"]
    table = resources["Table"]["Properties"]
    boto3.client("dynamodb").create_table(
        TableName=TABLE, **{name: table[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")})
    definition = pathlib.Path(workflow).read_text()
    for name, value in resources["Workflow"]["Properties"]["DefinitionSubstitutions"].items():
        definition = definition.replace("${%s}" % name, "aws" if "Ref" in value else value["Fn::GetAtt"][0])
    boto3.client("stepfunctions").create_state_machine(
        name=STATE_MACHINE, definition=definition, roleArn="arn:aws:iam::123456789012:role/workflow")


def call(method, url, body=None):
    request = urllib.request.Request(url, method=method, data=body and json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as e:
        sys.exit(f"{method} {url}: {e.code} {e.read().decode(errors='replace')}")


def hold(what, got, want):
    if got != want:
        sys.exit(f"{what}: {got!r}; want {want!r}")


def refresh(url, ask_again=False):
    """One refresh through the API, watched to its end, with a second POST after the first if asked for. Returns the Run's record."""
    status, headers, started = call("POST", url + "/refresh")
    hold("POST /refresh", (status, started["status"], started["is_running"]), (202, "started", True))
    hold("Location of POST /refresh", headers["Location"], "/refresh/runs/" + started["run_id"])
    print(f"POST /refresh: 202 {started['message']}")
    if ask_again:
        status, _, again = call("POST", url + "/refresh")
        hold("a second POST /refresh", (status, again["message"], again["run_id"]),
             (200, "Catalog refresh already in progress", started["run_id"]))
        print(f"POST /refresh: 200 {again['message']}")

    seen, deadline = [], time.monotonic() + 120
    while True:
        _, _, now = call("GET", url + "/refresh/status")
        if (line := f"GET /refresh/status: {now['state']} {now['phase'] or ''}".rstrip()) not in seen:
            seen.append(line)
            print(line)
        if not now["is_running"]:
            break
        if time.monotonic() > deadline:
            sys.exit(f"the refresh has not ended: {now}")
        time.sleep(0.3)
    _, _, run = call("GET", f"{url}/refresh/runs/{started['run_id']}")
    hold("the Run", run["state"], "successful")
    execution = f"{ARN.replace(':stateMachine:', ':execution:')}:{started['run_id']}"
    history = boto3.client("stepfunctions").get_execution_history(executionArn=execution, maxResults=1000)["events"]
    print("workflow:", " → ".join(e["stateEnteredEventDetails"]["name"] for e in history if "stateEnteredEventDetails" in e))
    return run


def bare(item):
    return {name: value for name, value in item.items() if name != "links"}


LINKS = "https://localhost/"  # the domain name that SAM CLI tells functions, without a port


def items(url, collection):
    """All Items of a Collection, a page of five at a time. Their links are the API's own, so they are left out."""
    page, found = f"{url}/collections/{collection}/items?limit=5", {}
    while page:
        _, _, answer = call("GET", page)
        found.update((f["id"], bare(f)) for f in answer["features"])
        page = next((link["href"] for link in answer["links"] if link["rel"] == "next"), None)
        if page:
            hold("where a next link leads", page[:len(LINKS)], LINKS)
            page = f"{url}/{page[len(LINKS):]}"
    return found


def api(url, catalog):
    collections = {}
    for folder in sorted(pathlib.Path(catalog, "collections").iterdir()):
        files = [json.loads(f.read_text()) for f in (folder / "items").glob("*.json")]
        collections[folder.name] = {f["id"]: bare(f) for f in files}
    total = sum(map(len, collections.values()))
    if not total:
        sys.exit(f"{catalog} has no Items to compare with")

    run = refresh(url, ask_again=True)  # the first takes longest: its containers have yet to start
    hold("Items added", run["counts"]["added"], total)
    _, _, answer = call("GET", url + "/collections")
    hold("GET /collections", sorted(c["id"] for c in answer["collections"]), list(collections))
    print(f"GET /collections: {', '.join(collections)}")
    for collection, want in collections.items():
        got = items(url, collection)
        hold(f"the ids of {collection}", sorted(got), sorted(want))
        for name, item in want.items():
            hold(f"the Item {collection}/{name}", got[name], item)
        print(f"GET /collections/{collection}/items: {len(got)} Items, equal to those of cairn refresh")
    _, _, rejects = call("GET", f"{url}/refresh/runs/{run['run_id']}/rejects")
    hold("Rejects", rejects["total"], run["counts"]["rejects"])
    print(f"GET /refresh/runs/{{id}}/rejects: {', '.join(r['key'] + ' ' + r['code'] for r in rejects['rejects'])}")

    run = refresh(url)
    hold("what an unchanged bucket changes", [run["counts"][n] for n in ("added", "updated", "removed")], [0, 0, 0])
    print(f"{len(collections)} Collections, {total} Items: all as they should be")


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    {"deploy": deploy, "api": api}[verb](*arguments)
