"""`GET …/bundle/<model>/<device>-<precision>?ticket=…`: an ONNX bundle as a zip, streamed from the disk.

A download button of Streamlit's would hold the whole file in memory. The ticket is made by the page, for one export,
and good until the app is restarted: whoever may not see the page cannot guess it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.errors import GroundworkError
from core.models import catalogue
from core.onnx.exports import Export, find_export
from exports.onnx_bundle import bundle_files, bundle_name, stream_zip
from pages.base_path import address

PATH = "bundle"
_SECRET = secrets.token_bytes(32)


def route(base: str) -> Route:
    """The route to mount. base: Streamlit's `server.baseUrlPath`, "" when the app is at the root."""
    return Route(address(base, PATH, "{model_id}", "{kind}"), _bundle, methods=["GET"])


def bundle_address(base: str, export: Export) -> str:
    """Where this export's bundle is, ticket included."""
    kind = f"{export.device}-{export.precision}"
    return f"{address(base, PATH, export.model_id, kind)}?ticket={_ticket(export.model_id, kind)}"


def _ticket(model_id: str, kind: str) -> str:
    return hmac.new(_SECRET, f"{model_id}/{kind}".encode(), hashlib.sha256).hexdigest()


def _bundle(request: Request) -> Response:
    model_id, kind = request.path_params["model_id"], request.path_params["kind"]
    if not hmac.compare_digest(_ticket(model_id, kind), request.query_params.get("ticket", "")):
        return PlainTextResponse("This link is not good any more: open the Models page again.", status_code=403)
    device, _, precision = kind.partition("-")
    try:
        card = catalogue.get(model_id)
        export = find_export(card, precision, device)
        if export is None:
            return PlainTextResponse("That export is not here any more.", status_code=404)
        files = bundle_files(card, export)
    except (GroundworkError, OSError) as error:
        return PlainTextResponse(str(error), status_code=409)
    headers = {
        "Content-Disposition": f'attachment; filename="{bundle_name(export)}"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(stream_zip(files), media_type="application/zip", headers=headers)
