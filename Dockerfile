# The image: the same server command as `make serve`, as a user without rights, on any Debian that has Python 3.11+.
#
#   docker build -t aml-cds .
#   docker run --rm -p 127.0.0.1:8080:8080 -e DEMO_ON_NETWORK=1 aml-cds
#
# Inside a container the service has to listen on every address (HOST=0.0.0.0), and demo mode refuses that unless
# DEMO_ON_NETWORK=1 says that only trusted testers reach the port. Publish it on 127.0.0.1, as above, and it is so.
# The root file system may be read-only (--read-only --tmpfs /tmp) and every capability dropped.
ARG BASE=debian:stable-slim

FROM ${BASE} AS build
# Versions are not pinned here: BASE decides the release, and its security updates are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# Two environments: what runs, and what builds. Only the first leaves this stage.
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python3 -m venv /venv \
    && /venv/bin/pip install --require-hashes -r requirements/runtime.txt \
    && python3 -m venv /tools \
    && /tools/bin/pip install --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY cds_service cds_service
COPY cards cards
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
    && /venv/bin/pip install --no-deps --no-index wheels/*.whl \
    && /venv/bin/python -m compileall -q /venv/lib \
    && /venv/bin/pip uninstall --quiet --yes pip

FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin aml
COPY --from=build /venv /venv
WORKDIR /app
# Modes are said here: a checkout made under a strict umask has files that only its owner can read.
COPY --chmod=644 gunicorn.conf.py LICENSE ./
COPY --chmod=755 scripts/serve scripts/serve
COPY --chmod=755 fhir_samples fhir_samples
ENV PATH=/venv/bin:$PATH PYTHON=/venv/bin/python PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8080
USER 10001:10001
EXPOSE 8080
# Never through a proxy: Docker can hand http_proxy to every container. An empty PORT means the default, as in settings.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:%s/readyz' % (os.environ.get('PORT') or 8080), timeout=2)"]
CMD ["scripts/serve"]
