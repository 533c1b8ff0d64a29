"""Renders with Cycles in Blender's background mode while a Berth seat is held, and stops when the seat is lost.

    blender -b scene.blend --python blender_render.py -- --product render --vendor-key ed25519:...

Exit code 0: rendered. 7: no seat, or the seat was lost; frames that were finished are kept. Other codes are those of `berth`.

How it stops (measured with Blender 3.4, see README.md). Blender's timers do not fire during a render, but threads run: a render releases
Python's lock. So the heartbeat lives in threads (berth.py), and when the seat is lost one of them

1. sends this process SIGINT. In background mode Blender takes that for Esc: Cycles breaks off once it has done the samples of the tile
   it is busy with, which is why tiles are kept small (tile_side); a second SIGINT would kill Blender, so it is sent once;
2. after eight seconds more, when the render still has not stopped, ends the process with 7. A plugin has ten (PROTOCOL 6.4).

Between frames the seat is looked at as well (render_pre), so that nothing new is begun.
"""
import argparse, os, signal, sys, threading, time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import berth  # noqa: E402

SAMPLES_OF_A_TILE = 4_000_000  # a second or so of one processor core
SECONDS_TO_BREAK_OFF = 8.0  # of the ten; two are left for a machine that is busy
EXIT_LOST = 7


def say(text: str) -> None:
    print(f"BERTH {time.time():.2f} {text}", flush=True)


class Guard:
    """Breaks the render off when the seat is lost."""

    def __init__(self, seat: "berth.Seat"):
        self.seat, self.lost_at, self.rendering = seat, None, threading.Event()
        seat.on_lost(self._stop)
        seat.on("grace", lambda seat: say(f"grace: the licence server is not heard, {seat.seconds_left:.0f} s are left"))
        seat.on("held", lambda seat: say("held again"))
        seat.on("message", lambda seat, text, sender: say(f"{sender} writes: {text}"))

    def _stop(self, seat: "berth.Seat") -> None:
        self.lost_at = time.monotonic()
        say(f"lost: {seat.error.code} {seat.error.message} {seat.error.next}")
        if not self.rendering.is_set():
            return
        os.kill(os.getpid(), signal.SIGINT)
        end = self.lost_at + SECONDS_TO_BREAK_OFF
        while time.monotonic() < end:
            if not self.rendering.is_set():
                return
            time.sleep(0.05)
        say(f"the render did not stop in {SECONDS_TO_BREAK_OFF:.0f} s: ending Blender")
        os._exit(EXIT_LOST)

    def render(self, bpy) -> None:
        """All frames of the scene. Returns when they are done, or when the render was broken off."""
        bpy.app.handlers.render_pre.append(self._before_frame)
        self.rendering.set()
        try:
            bpy.ops.render.render(animation=True)
        finally:
            self.rendering.clear()

    def _before_frame(self, *_scene) -> None:
        if self.seat.state not in ("held", "grace") and self.lost_at is None:
            say("lost before this frame")
            os._exit(EXIT_LOST)  # the thread that watches is late; nothing new is begun


def tile_side(samples: int) -> int:
    """Pixels. A tile is done with all its samples before Cycles looks whether to stop."""
    return max(16, min(512, int((SAMPLES_OF_A_TILE / max(1, samples)) ** 0.5) // 8 * 8))


def prepare(bpy, given: argparse.Namespace) -> None:
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.device = "CYCLES", "CPU"
    if given.samples:
        scene.cycles.samples, scene.cycles.use_adaptive_sampling, scene.cycles.use_denoising = given.samples, False, False
    scene.cycles.use_auto_tile, scene.cycles.tile_size = True, given.tile or tile_side(scene.cycles.samples)
    if given.size:
        scene.render.resolution_x, scene.render.resolution_y = (int(side) for side in given.size.split("x"))
        scene.render.resolution_percentage = 100
    if given.frames:
        scene.frame_start, scene.frame_end = (int(frame) for frame in given.frames.split("-"))
    if given.out:
        scene.render.filepath = given.out


def main() -> int:
    import bpy  # there is none outside of Blender

    parser = argparse.ArgumentParser(prog="blender -b FILE --python blender_render.py --")
    parser.add_argument("--product", required=True)
    parser.add_argument("--vendor-key", action="append", required=True)
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="stand in line for a seat")
    parser.add_argument("--tile", type=int, help="side of a tile, pixels, instead of one that breaks off soon")
    parser.add_argument("--frames", metavar="FROM-TO")
    parser.add_argument("--samples", type=int)
    parser.add_argument("--size", metavar="WIDTHxHEIGHT")
    parser.add_argument("--out", help="where frames go, as Blender's -o")
    given = parser.parse_args(sys.argv[sys.argv.index("--") + 1:] if "--" in sys.argv else [])
    prepare(bpy, given)
    try:
        with berth.connect(given.product.split(","), given.vendor_key, name="blender", version=bpy.app.version_string) as client:
            with client.checkout(wait=given.wait) as seat:
                say(f"seat {' '.join(seat.lease_ids)} of {' '.join(seat.products)}, state {seat.state}")
                guard = Guard(seat)
                from_ = time.monotonic()
                guard.render(bpy)
                if guard.lost_at is not None:
                    say(f"the render stopped {time.monotonic() - guard.lost_at:.2f} s after the loss")
                    return EXIT_LOST
                say(f"rendered in {time.monotonic() - from_:.1f} s, state {seat.state}")
        return 0
    except berth.BerthError as error:
        say(f"{error.code} {error.message} Next: {error.next}")
        return berth.EXIT_CODES.get(error.code, 1)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # sys.exit would run Blender's own shutdown, which forgets the code in some versions
