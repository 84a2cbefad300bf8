// TFRecord: a file of records, each a serialized tf.train.Example, as TensorFlow writes and reads.
//
//   record  = length (8 B, little endian), masked CRC-32C of those 8 B, data, masked CRC-32C of it
//   masked  = ((crc >> 15) | (crc << 17)) + 0xA282EAD8
//   data    = Example { features { "image/class/label": int64_list, "image/encoded": bytes_list } }
//
// Two choices of ours where protobuf leaves freedom: map entries are in key order, so that the
// content is the last thing in a record, and the label is always a varint of five bytes (readers
// must accept padded varints), so that the layout depends on payload sizes alone, not on labels.
// An Example of 2 GiB or more is beyond what protobuf readers accept; the framing has no limit.
//
// Reference reader: tf.data.TFRecordDataset, which reads the file from its start in transfers of
// 256 KiB: _DEFAULT_READER_BUFFER_SIZE_BYTES = 256 * 1024 in tensorflow/python/data/ops/readers.py
// goes to a BufferedInputStream in tensorflow/tsl/lib/io/record_reader.cc, which checks both CRCs
// of each record. (tf_record_dataset_op.cc raises it to 127 MiB for s3:// paths, and for gs:// on
// cloud TPUs.) Taken from the sources; no TensorFlow was run here.
//
// Whole-file compression (TFRecordOptions GZIP, ZLIB) is not read: kUnsupported.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& tfrecord_format();

}  // namespace feedrate
