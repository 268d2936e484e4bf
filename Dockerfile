# Capstan as an image: one executable, its C library, and nothing else of ours. docs/operators.md says how to run it.
# Both bases can be exchanged, and pinned by digest: docker build --build-arg BASE=gcr.io/distroless/base-debian12:nonroot .
ARG BUILD=docker.io/library/node:22-bookworm-slim
ARG BASE=docker.io/library/debian:12-slim

FROM ${BUILD} AS build
WORKDIR /src
COPY . .
# Fetches Bun and the packages that bun.lock names; the data directory is made here, because the other base may have no shell.
RUN npm run --silent binary -- --out /out/capstan && mkdir -m 700 /out/data /out/etc

FROM ${BASE}
LABEL org.opencontainers.image.title="Capstan" org.opencontainers.image.licenses="MIT"
COPY --from=build /out/capstan /usr/local/bin/capstan
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/etc /etc/capstan
# By number: Kubernetes' runAsNonRoot cannot look a name up.
USER 65532:65532
# Where capstan.config.ts and the action modules are looked for; meant to be mounted, read-only.
WORKDIR /etc/capstan
# Inside, every address is the container's own; what of it others reach, -p says.
ENV CAPSTAN_DATA=/data CAPSTAN_LISTEN=0.0.0.0:7420 CAPSTAN_PUBLIC=1
# The one place that is written to.
VOLUME /data
EXPOSE 7420
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["capstan", "health"]
ENTRYPOINT ["capstan"]
CMD ["serve"]
