// RLP over hexadecimal strings ("0x…") and arrays of them, nested.

const length = (digits) => digits.length / 2;

function prefix(size, offset) {
  if (size <= 55) return (offset + size).toString(16).padStart(2, "0");
  let digits = size.toString(16);
  if (digits.length % 2) digits = "0" + digits;
  return (offset + 55 + length(digits)).toString(16) + digits;
}

function encodeDigits(item) {
  if (Array.isArray(item)) {
    const payload = item.map(encodeDigits).join("");
    return prefix(length(payload), 0xc0) + payload;
  }
  const digits = item.slice(2);
  return length(digits) === 1 && parseInt(digits, 16) < 0x80 ? digits : prefix(length(digits), 0x80) + digits;
}

/** Encodes a string or a list. */
export function encode(item) {
  return "0x" + encodeDigits(item);
}

function decodeDigits(digits) {
  const first = parseInt(digits.slice(0, 2), 16);
  if (first < 0x80) return ["0x" + digits.slice(0, 2), digits.slice(2)];
  const list = first >= 0xc0;
  let size = first - (list ? 0xc0 : 0x80);
  let start = 2;
  if (size > 55) {
    start += 2 * (size - 55);
    size = parseInt(digits.slice(2, start), 16);
  }
  let payload = digits.slice(start, start + 2 * size);
  const rest = digits.slice(start + 2 * size);
  if (!list) return ["0x" + payload, rest];
  const items = [];
  while (payload) {
    let item;
    [item, payload] = decodeDigits(payload);
    items.push(item);
  }
  return [items, rest];
}

/** Decodes what a client encoded. */
export function decode(encoded) {
  return decodeDigits(encoded.slice(2))[0];
}
