"""Every error of ours, in one tree:

    CdsError
    ├── RequestError         the caller's request cannot be answered   (has an HTTP status and the path of the fault)
    │   ├── BadRequest           400  not JSON, or not CDS Hooks
    │   ├── Unauthorized         401  nobody we know calls; the caller learns no reason
    │   ├── NoSuchService        404  no service of that id
    │   ├── TooLarge             413  body above the limit
    │   ├── NotJson              415  another media type
    │   ├── WrongContent         422  well formed, but it contradicts itself (a Patient of another id)
    │   ├── CannotGather         412  required data neither sent nor to be had
    │   ├── TooOften             429  more calls than the settings allow this caller
    │   └── NotKept              503  feedback cannot be kept at the moment: to be sent again
    ├── KnowledgeError       a knowledge file, template or overlay is wrong; the service does not start
    ├── SettingsError        a setting is wrong; the service does not start
    ├── StoreError           the store cannot be used at the moment, or not as it is set
    ├── SampleError          a sample story cannot be found or read
    └── UsageError           the command line asks for something that does not exist

A message names the place, the expectation, what was found and the next step. It never holds patient data.
"""

from __future__ import annotations


class CdsError(Exception):
    """Anything that went wrong and that someone can act upon."""


class RequestError(CdsError):
    """A request nobody could answer.

    `path` is where the fault lies, as a FHIRPath-like expression ("context.patientId").
    """

    status = 400
    code = "invalid"
    retry_after: int | None = None  # seconds

    def __init__(self, message: str, path: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class BadRequest(RequestError):
    """Not JSON, or not a CDS Hooks request."""


class Unauthorized(RequestError):
    """Nobody we know calls. The message is the same for every reason."""

    status = 401
    code = "login"


class NoSuchService(RequestError):
    """There is no service of that id."""

    status = 404
    code = "not-found"


class TooLarge(RequestError):
    """The body is larger than this service reads."""

    status = 413
    code = "too-long"


class NotJson(RequestError):
    """The body is of another media type than JSON."""

    status = 415
    code = "structure"


class WrongContent(RequestError):
    """Well formed, but it contradicts itself."""

    status = 422
    code = "business-rule"


class CannotGather(RequestError):
    """Data that every answer needs was not sent and cannot be had (CDS Hooks: 412 Precondition Failed)."""

    status = 412
    code = "incomplete"


class TooOften(RequestError):
    """More calls than the settings allow this caller."""

    status = 429
    code = "throttled"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooMany(RequestError):
    """More calls at the same time than this process is set to answer."""

    status = 503
    code = "throttled"
    retry_after = 1


class NotKept(RequestError):
    """Feedback cannot be kept at the moment; the caller should send it again."""

    status = 503
    code = "transient"
    retry_after = 5


class KnowledgeError(CdsError):
    """A knowledge file, a template or an overlay is wrong: file, key and reason stand in the message."""


class SettingsError(CdsError):
    """A setting is wrong: its name, what was expected and what to do stand in the message."""


class StoreError(CdsError):
    """The store cannot be used: what is wrong stands in the message."""


class SampleError(CdsError):
    """The sample stories cannot be found or read: where it was looked for stands in the message."""


class UsageError(CdsError):
    """The command line names something that does not exist; what does exist stands in the message."""
