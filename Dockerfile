# The build stage is also what docker-compose.yml makes the keys with: it has a shell, the image itself has none.
FROM golang:1.26.8-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /out/salve ./cmd/server
# A new volume takes over the owner of the directory it is mounted on.
RUN mkdir -p /keys/private /keys/public && chmod 700 /keys/private && chown -R 65532:65532 /keys

# Salve calls nobody, so it needs no certificates, and it has no use for a shell.
FROM scratch
COPY --from=build /out/salve /salve
USER 65532:65532
ENV SALVE_ADDR=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["/salve"]
CMD ["serve"]
