# The image: the same server command as `make serve`, as a user without rights, on any Debian that has Python 3.11+.
#
#   docker build -t aml-cds .
#   docker run --rm -p 127.0.0.1:8080:8080 -e DEMO_ON_NETWORK=1 aml-cds
#
# Inside a container the service has to listen on every address (HOST=0.0.0.0), and demo mode refuses that unless
# DEMO_ON_NETWORK=1 says that only trusted testers reach the port. Publish it on 127.0.0.1, as above, and it is so.
# The root file system may be read-only (--read-only --tmpfs /tmp) and every capability dropped.
# `make image` builds it without a container engine, runs it so and looks at it: scripts/image.
ARG BASE=debian:stable-slim

FROM ${BASE} AS build
# Versions are not pinned here: BASE decides the release, and its security updates are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# Two environments: what runs, and what builds. Only the first leaves this stage. Wheels only, each with its hash:
# nothing that is fetched runs code of its own before it was checked.
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python3 -m venv /venv \
    && /venv/bin/pip install --no-compile --require-hashes --only-binary :all: -r requirements/runtime.txt \
    && python3 -m venv /tools \
    && /tools/bin/pip install --require-hashes --only-binary :all: -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY cds_service cds_service
COPY cards cards
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
    && /venv/bin/pip install --no-compile --no-deps --no-index wheels/*.whl \
    && /venv/bin/pip uninstall --quiet --yes pip \
    && find /venv/lib -name __pycache__ -prune -exec rm -r {} + \
    && /venv/bin/python -m compileall -q /venv/lib \
    && /venv/bin/python -I -c "from cards.render import check_all; check_all()"

FROM ${BASE}
ARG BASE
# The version of cds_service/__init__.py, and the commit where the builder knows it; a test holds the first.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="aml-cds" \
      org.opencontainers.image.description="Decision support for relapsed or refractory AML: CDS Hooks and FHIR R4" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin aml \
    && install -d -o 10001 -g 10001 -m 700 /data
COPY --from=build /venv /venv
WORKDIR /app
# Modes are said here: a checkout made under a strict umask has files that only its owner can read.
COPY --chmod=644 gunicorn.conf.py LICENSE ./
COPY --chmod=755 scripts/serve scripts/serve
COPY --chmod=755 fhir_samples fhir_samples
ENV PATH=/venv/bin:$PATH PYTHON=/venv/bin/python PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8080 \
    DATA=/data
USER 10001:10001
EXPOSE 8080
# Never through a proxy: Docker can hand http_proxy to every container. An empty PORT means the default, as in settings.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:%s/readyz/calls' % (os.environ.get('PORT') or 8080), timeout=2)"]
CMD ["scripts/serve"]
