"""A real RTSP server (GStreamer's) that a test starts, tells what to do and kills. Runs under Debian's own Python.

`rtsp_server.py [LOGIN [CLIP [PORT [WIDTH HEIGHT]]]]`: serves rtsp://127.0.0.1:PORT/camera and prints PORT. Without
a clip (VP9 in MP4, played once) it makes pictures. Reads from standard input: `stall`, `go`, `size WIDTH HEIGHT`.
"""

from __future__ import annotations

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

GENERATED = "videotestsrc is-live=true pattern=smpte ! capsfilter name=size caps={}"
CLIP = (
    'filesrc location="{}" ! qtdemux ! vp9dec ! videoscale ! video/x-raw,width=1280,height=720 ! videoconvert'
)
ENCODED = " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! valve name=valve"
CAPS = "video/x-raw,format=I420,width={},height={},framerate=30/1"
PAYLOAD = " ! rtph264pay name=pay0 pt=96 config-interval=-1 "


def main(login: str = "", clip: str = "", port: str = "0", width: str = "320", height: str = "240") -> None:
    """Serve until standard input ends."""
    Gst.init(None)
    elements = {}
    factory = GstRtspServer.RTSPMediaFactory()
    pictures = CLIP.format(clip) if clip else GENERATED.format(CAPS.format(width, height))
    factory.set_launch(f"( {pictures}{ENCODED}{PAYLOAD})")
    factory.set_shared(True)

    def configured(_factory: object, media: GstRtspServer.RTSPMedia) -> None:
        bin_ = media.get_element()
        elements.update({name: bin_.get_by_name(name) for name in ("valve", "size")})

    factory.connect("media-configure", configured)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    if login:
        protect(server, factory, login)
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    loop = GLib.MainLoop()

    def told(_channel: object, _condition: object) -> bool:
        words = sys.stdin.buffer.raw.readline().decode().split()
        if not words:
            loop.quit()
        elif words[0] == "size":
            elements["size"].set_property("caps", Gst.Caps.from_string(CAPS.format(*words[1:])))
        else:
            elements["valve"].set_property("drop", words[0] == "stall")
        return True

    GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, told)
    loop.run()


def protect(server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, login: str) -> None:
    """Ask for `login` (user:password) by digest, as most cameras do."""
    user, _, password = login.partition(":")
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(2)
    auth.add_digest(user, password, token)
    server.set_auth(auth)
    rights = GstRtspServer.RTSPPermissions()
    for right in ("media.factory.access", "media.factory.construct"):
        rights.add_permission_for_role("viewer", right, True)
    factory.set_permissions(rights)


if __name__ == "__main__":
    main(*sys.argv[1:])
