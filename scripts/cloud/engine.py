"""AWS for scripts/cloud.sh: moto's server with what it lacks to run the template of this project.

    engine.py PORT RECORDS

moto calls functions, and reads objects, at http://localhost:$MOTO_PORT, which is the front of internal/cloudtest. What is changed here,
and why:

- A second StartExecution answers 500, because moto copies the state machine with the executions, and their threads, in it
  (moto issue 10077). Here it is copied without them.
- CloudFormation makes state machines that do not run, beside those that do. Here they do.
- CloudFormation leaves out the types that moto does not know. Here their resolved properties are recorded, a JSON line each in the
  file RECORDS, so that the front can do what they say; they exist nowhere else.
- EventBridge gives events to queues only, and to rules of the clock too. Here functions are invoked as well, and rules without a
  pattern match nothing.
- SQS invokes functions itself, in Docker. Here that is left to the front, which polls the queues.
- An execution's start and end are told to EventBridge, as Step Functions does. Those of a Map's children are not.
- A Map goes on when children of it fail. Here it fails with them, for none are tolerated, once all have ended.
- StopExecution waits for the task that runs. Here the execution has ended at once, as on AWS, and the task's answer is not heard.
"""
import copy
import json
import os
import sys
import threading
from datetime import datetime, timezone

import moto.server
import requests
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.core.config import default_user_config
from moto.events.models import Rule, events_backends
from moto.sqs.models import Queue
from moto.stepfunctions import models as stepfunctions
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType, MapRunFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

FRONT = f"http://localhost:{os.environ['MOTO_PORT']}"
records = sys.argv[2]


def copy_without_executions(machine, _memo):
    clone = copy.copy(machine)
    clone.executions = []
    return clone


stepfunctions.StateMachine.__deepcopy__ = copy_without_executions
stepfunctions.stepfunctions_backends = stepfunctions_parser_backends


class Recorded(CloudFormationModel):
    __module__ = "moto.recorded.models"  # moto takes the service's name from it

    def __init__(self, name):
        self.physical_resource_id = name

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **about):
        record = {"id": about["LogicalId"], "type": about["ResourceType"], "properties": cloudformation_json["Properties"]}
        with open(records, "a", encoding="utf-8") as f:
            print(json.dumps(record), file=f)
        return cls(about["LogicalId"])

    @classmethod
    def has_cfn_attr(cls, _attr):
        return True

    def get_cfn_attribute(self, name):
        return f"{self.physical_resource_id}.{name}"

    def is_created(self):
        return True


known = parsing.resource_class_from_type
parsing.resource_class_from_type = lambda kind: known(kind) or Recorded


def aws_time(seconds):
    return datetime.fromtimestamp(float(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def invoke(arn, payload):
    """As EventBridge does: asynchronously."""
    requests.post(f"{FRONT}/2015-03-31/functions/{arn}/invocations", json=payload, headers={"X-Amz-Invocation-Type": "Event"}, timeout=60)


def send_to_targets(rule, event, transform_input=True):
    if not rule.event_pattern.get_pattern():
        return
    others = copy.copy(rule)
    others.targets = [t for t in rule.targets if ":lambda:" not in t["Arn"]]
    send_to_others(others, copy.deepcopy(event), transform_input)
    if not rule.event_pattern.matches_event(event):
        return
    for target in rule.targets:
        if ":lambda:" in target["Arn"]:
            payload = json.loads(target["Input"]) if target.get("Input") else {**event, "time": aws_time(event["time"])}
            threading.Thread(target=invoke, args=(target["Arn"], payload), daemon=True).start()


send_to_others = Rule.send_to_targets
Rule.send_to_targets = send_to_targets


Queue.lambda_event_source_mappings = property(lambda _: {}, lambda *_: None)


def map_run(component, env, eval_input):
    run_children(component, env, eval_input)
    counts = eval_input.map_run_record.item_counter
    if counts.failed.get() + counts.timed_out.get() == 0:
        return
    name = StatesErrorName(typ=StatesErrorNameType.StatesExceedToleratedFailureThreshold)
    about = {"error": name.error_name, "cause": "The specified tolerated failure threshold was exceeded"}
    raise FailureEventException(FailureEvent(
        env=env,
        error_name=name,
        event_type=HistoryEventType.MapRunFailed,
        event_details=EventDetails(mapRunFailedEventDetails=MapRunFailedEventDetails(**about)),
    ))


run_children = DistributedIterationComponent._map_run
DistributedIterationComponent._map_run = map_run


def tell(execution):
    def millis(t):
        return int(t.timestamp() * 1000) if t else None

    detail = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": millis(execution.start_date),
        "stopDate": millis(execution.stop_date),
        "input": execution.execution_input,
        "output": None if execution.output is None else json.dumps(execution.output),
        "error": execution.error,
        "cause": execution.cause,
    }
    events_backends[execution.account_id][execution.region_name].put_events([{
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Detail": json.dumps(detail),
        "Resources": [execution.exec_arn],
    }])


def start(execution):
    execution.ending = threading.Lock()
    with execution.ending:
        start_worker(execution)
    tell(execution)


def stop(execution, stop_date, error, cause):
    with execution.ending:
        if execution.exec_status != ExecutionStatus.RUNNING:
            return
        stop_worker(execution, stop_date, error, cause)
        execution.exec_status, execution.stop_date = ExecutionStatus.ABORTED, stop_date
        execution.error, execution.cause = error or None, cause or None
    tell(execution)


def terminated(comm):
    with comm.execution.ending:
        if comm.execution.exec_status != ExecutionStatus.RUNNING:
            return  # stopped before
        comm._reflect_execution_status()
    tell(comm.execution)


start_worker, stop_worker = Execution.start, Execution.stop
Execution.start, Execution.stop = start, stop
BaseExecutionWorkerCommunication.terminated = terminated

default_user_config["stepfunctions"]["execute_state_machine"] = True
os.environ["VALIDATE_LAMBDA_S3"] = "false"  # the code is not in its S3: the front runs it
moto.server.main(["-p", sys.argv[1]])
