# The program alone, static: no shell, no package manager, no user database.
#   docker build -t portcullis . && docker run --rm -v "$PWD:/src:ro" portcullis scan .
FROM rust:1.95-alpine AS build
# What compiles C for the allocator.
RUN apk add --no-cache build-base
WORKDIR /build
COPY . .
# The image's own toolchain, whatever rust-toolchain.toml would download.
RUN RUSTUP_TOOLCHAIN="$(rustup default | cut -d' ' -f1)" cargo build --release --locked -p portcullis \
  && cp target/release/portcullis /portcullis

FROM scratch
COPY --from=build /portcullis /portcullis
COPY LICENSE /LICENSE
USER 65532:65532
WORKDIR /src
ENTRYPOINT ["/portcullis"]
CMD ["scan", "."]
