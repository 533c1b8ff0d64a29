// Frames to a server, and what it must make of each (PROTOCOL 3 and 7).
import { invalidFrames } from './frames-invalid.js';
import { validFrames } from './frames-valid.js';

export const frameVectors = () => ({
  note: [
    'Frames from a client, on the path given (a session is open unless the method is session.open or device.enrol).',
    'Verdicts: `request`: well formed, goes to the handler of that method. `error`: answered with that code and id; PARAMS_INVALID names `field`. `ignored`: no answer. `close`: the socket is closed with that code.',
    'A frame is `text`; or `repeat` [text before, text, times, text after], joined; or `binary`, a binary frame in hex; or `invalidUtf8`, a text frame whose bytes (hex) are not UTF-8.',
  ],
  cases: [...validFrames, ...invalidFrames],
});
