# The registry for docker-compose.yml: web, worker and beat are one image.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN pip install --constraint constraints.txt .
COPY . .
# The settings refuse to load without secrets; these live for this one command only.
RUN key=$(python -c "import secrets; print(secrets.token_hex(32))") \
    && SECRET_KEY=$key AUDIT_KEY=$key PSEUDONYM_KEY=$key ALLOWED_HOSTS=build \
    DATABASE_URL=postgresql://build/build REDIS_URL=redis://build \
    STATIC_ROOT=/app/static python manage.py collectstatic --noinput

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /app registry \
    && install --directory --owner registry --mode 0700 /var/lib/myelon
COPY --from=build /venv /venv
COPY --from=build --chown=root:root /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STATIC_ROOT=/app/static
USER registry
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "registry.wsgi:application", "--bind", "0.0.0.0:8000", \
    "--worker-class", "gthread", "--workers", "2", "--threads", "8", \
    "--timeout", "60", "--graceful-timeout", "30", "--worker-tmp-dir", "/dev/shm", \
    "--no-control-socket"]
