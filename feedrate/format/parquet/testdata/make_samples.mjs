// Makes the .parquet files beside it:
//   npm install hyparquet-writer@0.17 parquet-wasm@0.8 apache-arrow @duckdb/node-api@1.5
//   NODE_MODULES=$PWD/node_modules node make_samples.mjs
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const modules = process.env.NODE_MODULES
const here = new URL('.', import.meta.url).pathname
const load = (path) => import(pathToFileURL(`${modules}/${path}`).href)

// hyparquet-writer: snappy, dictionaries, row groups of 40, 40 and 20 rows.
const { parquetWriteBuffer } = await load('hyparquet-writer/src/index.js')
const rows = [...Array(100).keys()]
fs.writeFileSync(`${here}hyparquet.parquet`, Buffer.from(parquetWriteBuffer({
  columnData: [
    { name: 'click', data: rows.map(i => i % 2 === 0), type: 'BOOLEAN' },
    { name: 'id', data: rows, type: 'INT32' },
    { name: 'price', data: rows.map(i => i / 7), type: 'DOUBLE' },
    { name: 'shop', data: rows.map(i => `shop ${i % 5}`), type: 'STRING' },
  ],
  rowGroupSize: 40,
})))

// parquet-wasm, the Rust implementation: zstd, data pages of version 2, row groups of 30 rows.
const require = createRequire(`${modules}/`)
const arrow = require('apache-arrow')
const wasm = require('parquet-wasm')
const table = arrow.tableFromArrays({
  id: Int32Array.from(rows), value: Float32Array.from(rows, i => i * i),
})
const properties = new wasm.WriterPropertiesBuilder()
  .setCompression(wasm.Compression.ZSTD).setMaxRowGroupSize(30)
  .setWriterVersion(wasm.WriterVersion.V2).build()
fs.writeFileSync(`${here}arrow_rs.parquet`, wasm.writeParquet(
  wasm.Table.fromIPCStream(arrow.tableToIPC(table, 'stream')), properties))

// DuckDB: a repeated field, which has more values than there are rows.
const { DuckDBInstance } = require('@duckdb/node-api')
const connection = await (await DuckDBInstance.create()).connect()
await connection.run(`COPY (SELECT i AS id, [i, i + 1, i + 2] AS history FROM range(5000) t(i))
  TO '${here}duckdb.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048)`)
connection.closeSync()
