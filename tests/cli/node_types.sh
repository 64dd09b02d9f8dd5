#!/bin/bash
# ctest: node.types_are_what_they_say
# tsc takes each call of tests/node/types/types_test.ts, and refuses those that are wrong.
set -eu
if ! command -v tsc >/dev/null; then
    echo "skipped: no tsc here (Debian: node-typescript; tools/setup --all installs it)"
    exit 77
fi
package=node_modules/iris-runtime
mkdir -p $package node_modules/@types/node
cp "$SRC"/hosts/node/iris/{index.d.ts,package.json} $package
cp "$SRC/tests/node/types/node.d.ts" node_modules/@types/node/index.d.ts
cp "$SRC/tests/node/types/types_test.ts" .
cat >tsconfig.json <<'EOF'
{"compilerOptions": {"strict": true, "noEmit": true, "target": "es2022", "lib": ["es2022", "dom"],
                     "module": "commonjs", "moduleResolution": "node", "esModuleInterop": true, "allowSyntheticDefaultImports": true},
 "files": ["types_test.ts"]}
EOF
tsc -p .
