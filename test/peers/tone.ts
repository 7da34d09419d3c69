// A tone in a WAV file (mono, 16 bits), and how much of a recording is that tone (Goertzel).

const RATE = 8000;
const HEADER_BYTES = 44;

/** A WAV file with a sine of `hz`. */
export function toneFile(hz: number, seconds: number): Buffer {
  const samples = RATE * seconds;
  const file = Buffer.alloc(HEADER_BYTES + 2 * samples);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(RATE, 24);
  file.writeUInt32LE(2 * RATE, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(2 * samples, 40);
  for (let at = 0; at < samples; at++)
    file.writeInt16LE(Math.round(12_000 * Math.sin((2 * Math.PI * hz * at) / RATE)), HEADER_BYTES + 2 * at);
  return file;
}

/** The share of `hz` in the power of the best second of a mono recording, 0 to 1; 0 where that is shorter. */
export function shareOfTone(file: Buffer, hz: number): number {
  if (file.length < HEADER_BYTES) return 0;
  // linphonec writes the header at the end of a call; its codecs have these rates.
  const known = file.readUInt32LE(24);
  const rates = known === 0 ? [8000, 16_000, 48_000] : [known];
  return Math.max(...rates.map((rate) => bestShare(file, hz, rate)));
}

function bestShare(file: Buffer, hz: number, rate: number): number {
  let best = 0;
  for (let at = HEADER_BYTES; at + 2 * rate <= file.length; at += rate / 4)
    best = Math.max(best, shareIn(file.subarray(at, at + 2 * rate), hz / rate));
  return best;
}

/** `frequency` in periods a sample. */
function shareIn(samples: Buffer, frequency: number): number {
  const coefficient = 2 * Math.cos(2 * Math.PI * frequency);
  let [last, before, power] = [0, 0, 0];
  for (let at = 0; at < samples.length; at += 2) {
    const sample = samples.readInt16LE(at);
    power += sample * sample;
    [last, before] = [sample + coefficient * last - before, last];
  }
  const ofTone = last * last + before * before - coefficient * last * before;
  return power === 0 ? 0 : (2 * ofTone) / (power * (samples.length / 2));
}
