import Foundation
import TestSupport
import Testing

/// `Launch/text/parquet.py`, with a Python that has pyarrow.
struct ParquetTests {
  private static let hasArrow =
    (try? Program.shell("python3 -c 'import pyarrow'", [], in: "/"))?.status == 0

  @Test(.enabled(if: hasArrow, "needs pyarrow"))
  func rowsBecomeJSONLines() throws {
    let folder = try TemporaryFolder()
    let make = """
      import os, pyarrow as a, pyarrow.parquet as p
      table = a.table({'text': ['one "1"', None, 'zwei\\nZeilen ü'], 'n': [1, 2, 3]})
      os.makedirs('set/deep')
      p.write_table(table, 'set/b.parquet')
      with a.ipc.new_stream('set/deep/a.arrow', table.schema) as out: out.write_table(table)
      """
    let made = try Program.shell("python3 -c \"$0\"", [make], in: folder.path)
    try #require(made.status == 0, "\(made.errors)")
    let rows = try Program.script("text/parquet.py", ["set"], in: folder.path)
    let file = "{\"text\": \"one \\\"1\\\"\"}\n{\"text\": \"zwei\\nZeilen ü\"}\n"
    #expect(rows.status == 0 && rows.output == file + file, "\(rows.errors)")
    #expect(rows.errors.contains("6 rows, 2 empty ones left out"))
    for (arguments, text) in [
      (["set", "--column", "n"], "has the type int64, not string"),
      (["set", "--column", "body"], "has no column body but text, n"),
      (["nowhere"], "there is no file or folder nowhere"),
    ] {
      let refused = try Program.script("text/parquet.py", arguments, in: folder.path)
      #expect(refused.status != 0 && refused.errors.contains(text), "\(refused.errors)")
    }
  }

  @Test(.enabled(if: !hasArrow, "pyarrow is installed"))
  func aMissingLibraryIsNamed() throws {
    let result = try Program.script("text/parquet.py", ["a.parquet"], in: "/")
    #expect(result.status != 0 && result.errors.contains("pip install pyarrow"))
  }
}
