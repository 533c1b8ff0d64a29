"""A plugin in Python as a process of its own, as plugin.ts: it does what lines on its stdin say and answers each with a line of JSON.
What it says to the server and hears is written down for the auditor, in the form of tap.ts: BERTH_TAP names the folder."""
import json, os, sys, time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "python"))
import berth  # noqa: E402


class Tap:
    """One write a line, before a frame leaves and before anything has looked at one that came."""

    def __init__(self):
        self.name = f"{os.environ['BERTH_TAP_NAME']}-{os.getpid()}"
        self.file = os.open(os.path.join(os.environ["BERTH_TAP"], f"{self.name}.jsonl"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.asked = {}

    def write(self, **happening):
        moment = {"t": time.monotonic_ns() / 1e6, "wallMs": int(time.time() * 1000), "process": self.name}
        os.write(self.file, (json.dumps({**moment, **happening}) + "\n").encode())

    def __call__(self, direction, text):
        frame = json.loads(text)
        (self.sent if direction == "sent" else self.heard)(frame)

    def sent(self, frame):
        method, params = frame["method"], frame["params"]
        # Ids begin anew with each connection; a request that lost its answer is simply overwritten.
        self.asked[frame["id"]] = (method, params)
        self.write(event="request", method=method, **{name: params[name] for name in ("key", "nonce") if name in params})
        if method == "session.open":
            self.write(event="session", device=params["deviceKey"])
        if method == "lease.release":
            self.write(event="released", leases=params["leases"], stopped=bool(params.get("stops")))

    def heard(self, frame):
        if "method" in frame:
            lease = frame.get("params", {}).get("lease")
            return self.write(event="pushed", method=frame["method"], **({"lease": lease} if lease else {}))
        method, params = self.asked.pop(frame.get("id"), ("?", {}))
        if "error" in frame:
            return self.write(event="denied", method=method, code=frame["error"]["data"]["code"], data=frame["error"]["data"])
        rows = frame["result"].get("leases", []) if isinstance(frame["result"], dict) else []
        tokens = [row if isinstance(row, str) else row.get("token") for row in rows]
        if any(tokens):
            key = {"key": params["key"]} if "key" in params else {}
            self.write(event="answer", method=method, leases=[token for token in tokens if token],
                       entitlements=frame["result"].get("entitlements", []), **key)
        if method == "lease.release":
            self.write(event="confirmed", leases=params["leases"])


def say(**line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def about(seat):
    return {"state": seat.state, "leaseIds": seat.lease_ids, "joined": seat.joined, "error": seat.error and seat.error.code}


def main():
    orders, seat = json.loads(sys.argv[1]), None
    with berth.connect(orders["product"], [orders["vendorKey"]], trace=Tap()) as client:
        say(event="ready", user=client.user)
        for line in sys.stdin:
            order, *words = line.split()
            try:
                if order == "checkout":
                    wait = float(words[0]) if words else 0.0
                    seat = client.checkout(wait=wait, on_queued=lambda place: say(event="queued", position=place["position"]))
                    for event in ("grace", "held", "lost"):
                        seat.on(event, lambda seat, event=event: say(event=event, **about(seat)))
                    seat.on("message", lambda _seat, text, sender: say(event="message", text=text, sender=sender))
                elif order == "release":
                    say(event="given back", confirmed=seat.release())
                elif order == "close":
                    break
                say(event="done", order=order, online=client.online, **(about(seat) if seat else {}))
            except berth.BerthError as error:
                say(event="failed", order=order, code=error.code, next=error.next, rule=error.data.get("rule"),
                    holders=error.data.get("holders"))


main()
