// read_parquet.mjs NODE_MODULES FILE: writes the values of a Parquet file of fixed-width columns to
// standard output, in the order of the file: row group by row group, column by column.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [modules, path] = process.argv.slice(2)
const load = (name) => import(pathToFileURL(`${modules}/${name}`).href)
const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } =
  await load('hyparquet/src/node.js')

const bytesOf = (value) => {
  if (value instanceof Uint8Array) return Buffer.from(value)
  const buffer = Buffer.alloc(typeof value === 'bigint' ? 8 : 4)
  if (typeof value === 'bigint') buffer.writeBigInt64LE(value)
  else buffer.writeInt32LE(value)
  return buffer
}

const file = await asyncBufferFromFile(path)
const metadata = await parquetMetadataAsync(file)
const names = metadata.schema.slice(1).map((element) => element.name)
let first = 0
for (const group of metadata.row_groups) {
  const last = first + Number(group.num_rows)
  const rows = await parquetReadObjects({ file, metadata, rowStart: first, rowEnd: last, utf8: false })
  for (const name of names)
    for (const row of rows) process.stdout.write(bytesOf(row[name]))
  first = last
}

// DuckDB, where it is installed: a second opinion on the number of rows and bytes.
let duckdb = null
try { duckdb = createRequire(`${modules}/`)('@duckdb/node-api') } catch { /* optional */ }
if (duckdb !== null) {
  const connection = await (await duckdb.DuckDBInstance.create()).connect()
  const columns = names.map((name) => `count(${name})`).join(' + ')
  const result = await connection.runAndReadAll(`SELECT count(*), ${columns} FROM '${path}'`)
  process.stderr.write(`duckdb ${result.getRows()[0].join(' ')}\n`)
}
