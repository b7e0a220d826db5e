# An image for apps: the program, from its Debian package, and the libraries that it is linked with.
#
#     docker build -t wampy-lua .
#     docker run --rm -v "$PWD/apps/01-hello:/app" -e WAMPY_URL=ws://router:8080/ wampy-lua
#
# docs/cookbook/docker.md says why each line is as it is. An image of an app is FROM this one, with
# a COPY of its main.lua to /app.
FROM debian:bookworm-slim AS build
COPY . /src
WORKDIR /src
RUN tools/setup deb && make -j"$(nproc)" deb

FROM debian:bookworm-slim
COPY --from=build /src/build/*.deb /tmp/
RUN apt-get -qq update \
    && apt-get -qq -y install --no-install-recommends ca-certificates /tmp/wampy-lua_*.deb \
    && rm -rf /tmp/*.deb /var/lib/apt/lists/*
WORKDIR /app
USER 65534
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["wampy-lua", "-q", "ping"]
ENTRYPOINT ["wampy-lua"]
CMD ["run", "/app/main.lua", "--log-format", "json"]
