// What index.d.ts uses of @types/node, which need not be installed.
interface Buffer extends Uint8Array { readBigInt64BE (offset?: number): bigint }
declare const Buffer: { from (data: string): Buffer, alloc (size: number): Buffer }
declare namespace NodeJS { type ArrayBufferView = ArrayBufferView_ }
type ArrayBufferView_ = Uint8Array | Uint16Array | Uint32Array | Float64Array | DataView
