#!/usr/bin/env python3
"""Writes the text of Parquet files and Hugging Face data sets as JSON lines, for electra.

    Launch/text/parquet.py corpus/ --output corpus.jsonl

Without --output it writes to standard output; then check its exit status, because a reader cannot
tell an early end from the end of the text. Folders are searched for *.parquet and *.arrow files
(what `datasets` downloads, and what `save_to_disk` writes), in the order of their names, without
the caches of `map` and `filter` (cache-*.arrow). Rows are read in batches, so that memory does not
grow with the files. Needs pyarrow.
"""

import argparse
import json
import os
import sys


def files(paths):
    """All Parquet and Arrow files of `paths`, folders expanded."""
    for path in paths:
        if os.path.isfile(path):
            yield path
            continue
        if not os.path.isdir(path):
            sys.exit(f"parquet.py: there is no file or folder {path}")
        found = sorted(
            os.path.join(folder, name)
            for folder, _, names in os.walk(path, onerror=fail)
            for name in names
            if name.endswith((".parquet", ".arrow")) and not name.startswith("cache-")
        )
        if not found:
            sys.exit(f"parquet.py: {path} contains no .parquet or .arrow files")
        yield from found


def fail(error):
    """Ends the program with the reason of an OSError."""
    sys.exit(f"parquet.py: {error.filename}: {error.strerror}")


def batches(path, column):
    """The record batches of a file with one column; ends the program if it cannot be read."""
    try:
        if path.endswith(".arrow"):
            source = arrow.memory_map(path)
            try:
                reader = arrow.ipc.open_stream(source)
            except arrow.ArrowInvalid:
                file = arrow.ipc.open_file(source)
                reader = (file.get_batch(i) for i in range(file.num_record_batches))
            for batch in reader:
                check(path, batch.schema, column)
                yield batch.select([column])
        else:
            file = parquet.ParquetFile(path)
            check(path, file.schema_arrow, column)
            yield from file.iter_batches(batch_size=1024, columns=[column])
    except (arrow.ArrowException, OSError) as error:
        sys.exit(f"parquet.py: {path} cannot be read: {error}")


def check(path, schema, column):
    """Ends the program unless `column` is a column of strings."""
    if column not in schema.names:
        sys.exit(
            f"parquet.py: {path} has no column {column} but {', '.join(schema.names)}; "
            "name the one with the text with --column"
        )
    kind = schema.field(column).type
    if not (arrow.types.is_string(kind) or arrow.types.is_large_string(kind)):
        sys.exit(f"parquet.py: the column {column} of {path} has the type {kind}, not string")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="+", help="files, or folders that contain them")
    parser.add_argument("--column", default="text", help="the column with the text (text)")
    parser.add_argument("--output", help="the file to write; standard output without it")
    options = parser.parse_args()
    if options.output and os.path.exists(options.output):
        sys.exit(f"parquet.py: {options.output} exists; give another --output")
    if not options.output:
        report(*write(options, sys.stdout))
        return
    # The file gets its name when it is complete.
    partial = options.output + ".partial"
    try:
        with open(partial, "w", encoding="utf-8") as target:
            counts = write(options, target)
        os.rename(partial, options.output)
    except BaseException:
        if os.path.exists(partial):
            os.remove(partial)
        raise
    report(*counts)


def write(options, target):
    """Writes all texts; returns the numbers of rows and of empty ones."""
    rows = empty = 0
    for path in files(options.paths):
        for batch in batches(path, options.column):
            for text in batch.column(0).to_pylist():
                rows += 1
                if not text or not text.strip():
                    empty += 1
                    continue
                json.dump({"text": text}, target, ensure_ascii=False)
                target.write("\n")
    target.flush()
    return rows, empty


def report(rows, empty):
    """Prints the number of rows to standard error."""
    note = f", {empty} empty ones left out" if empty else ""
    print(f"parquet.py: {rows} rows{note}", file=sys.stderr)


if __name__ == "__main__":
    try:
        import pyarrow as arrow
        import pyarrow.ipc
        from pyarrow import parquet
    except ImportError:
        if not {"-h", "--help"} & set(sys.argv):
            sys.exit("parquet.py: needs pyarrow: pip install pyarrow")
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        main()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit("parquet.py: the reader closed the pipe")
    except OSError as error:
        sys.exit(f"parquet.py: cannot write: {error.strerror}")
