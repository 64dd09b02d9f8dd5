// Where a name leads from another module, as import would find it.
export const resolve = (specifier, from) => import.meta.resolve(specifier, from)
