"""Makes the image that SAM's containers run in, from what SAM CLI has with it, so that nothing is pulled.

A function here is one static binary, which needs nothing around it but the Runtime Interface Emulator. SAM CLI adds that to a
base image and calls the result REPOSITORY:rapid-ARCHITECTURE; where such an image is there already, it takes it as it is.
The environment of the image is that of every function: the place for the emulated services, so that the template need not
know of them.

    image.py make REPOSITORY ARCHITECTURE NAME=VALUE...
    image.py remove REPOSITORY      with the containers that are left of it
    image.py host                   the addresses of this machine, as it and as a container sees it
"""
import io
import ipaddress
import pathlib
import socket
import sys
import tarfile

import docker
import samcli


def make(client, repository, architecture, *environment):
    emulator = pathlib.Path(samcli.__file__).parent / "local" / "rapid" / f"aws-lambda-rie-{architecture}"
    tree = io.BytesIO()
    with tarfile.open(fileobj=tree, mode="w") as tar:
        for name, mode in [("var/rapid", 0o755), ("var/task", 0o755), ("opt", 0o755), ("tmp", 0o1777)]:
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        binary = tarfile.TarInfo("var/rapid/aws-lambda-rie")
        binary.mode, binary.size = 0o755, emulator.stat().st_size
        with emulator.open("rb") as body:
            tar.addfile(binary, body)
    client.api.import_image_from_data(
        tree.getvalue(), repository=repository, tag=f"rapid-{architecture}", changes=[f"ENV {e}" for e in environment])


def remove(client, repository):
    for image in client.images.list(repository):
        for container in client.containers.list(all=True, filters={"ancestor": image.id}):
            container.remove(force=True)
        client.images.remove(image.id, force=True)


def host(client):
    """On Linux the bridge's address, which both see; where the engine is in a virtual machine, its name for the host."""
    addresses = client.networks.get("bridge").attrs["IPAM"]["Config"][0]
    address = addresses.get("Gateway") or str(next(ipaddress.ip_network(addresses["Subnet"]).hosts()))
    try:
        with socket.socket() as s:
            s.bind((address, 0))
        print(address, address)
    except OSError:
        print("127.0.0.1", "host.docker.internal")


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    {"make": make, "remove": remove, "host": host}[verb](docker.from_env(), *arguments)
