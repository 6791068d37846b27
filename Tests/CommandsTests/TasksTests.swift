import Finetuning
import Foundation
import TestSupport
import Testing

/// `electra tasks`, whose table the scripts of `Launch` read.
struct TasksTests {
  private struct Entry: Decodable {
    let name: String
    let folders: [String]
    let metrics: [Metric]
    let splits: [TaskSplit]
  }

  @Test
  func theTableHasAllTasks() throws {
    let folder = try TemporaryFolder()
    let lines = try Program.run(["tasks"], in: folder.path).output.split(separator: "\n")
    let names = lines.map { $0.prefix { $0 != " " } }
    #expect(names == ["task"] + Task.all.map { $0.name[...] } + ["own"])
    #expect(lines.contains("sst2      SST-2       classification  3       accuracy"))
    let json = try Program.run(["tasks", "--json"], in: folder.path)
    let entries = try JSONDecoder().decode([Entry].self, from: Data(json.output.utf8))
    #expect(entries.map(\.name) == Task.all.map(\.name))
    #expect(entries.map(\.metrics) == Task.all.map(\.metrics))
    #expect(entries.map(\.splits) == Task.all.map(\.splits))
    #expect(entries.first { $0.name == "chunking" }?.folders == ["conll2000", "chunking"])
    #expect(entries.first { $0.name == "rte" }?.folders == ["RTE"])
  }
}
