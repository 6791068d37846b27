import Electra
import Foundation
import Layers
import Platform
import Training

/// A report as one self-contained HTML page that needs no network and no other file.
package struct ReportPage {
  private let subjects: ReportSubjects
  private let tables: ReportTables

  package init(_ subjects: ReportSubjects) {
    self.subjects = subjects
    tables = ReportTables(subjects)
  }

  private var title: String {
    let names = subjects.runs.map(\.name)
    switch names.count {
    case 0: return "Fine-tuning results"
    case 1...3: return names.formatted(.list(type: .and).locale(Locale(identifier: "en")))
    default: return "\(names.count) runs"
    }
  }

  /// The whole page.
  package var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <title>electra: \(title.inXML)</title>
    <style>
    \(Self.text(PackageResources.report_css))</style>
    </head>
    <body>
    <header>
    <p class="kicker">electra report</p>
    <h1>\(title.inXML)</h1>
    </header>
    <main>
    \(sections.joined(separator: "\n"))
    </main>
    <footer>Made by electra \(programVersion). Held-out metrics are computed without dropout. The published
    curve is ELECTRA-Small on OpenWebText with a vocabulary of 30,522, read from the author's plot
    (google-research/electra, issue 3). Losses on another vocabulary or other text are not comparable.</footer>
    <script>
    \(Self.text(PackageResources.report_js))</script>
    </body>
    </html>

    """
  }

  /// The text of a resource, which ends in a new line.
  ///
  /// `report.css` has a light and a dark theme and suits phones; `report.js` shows the values of
  /// the curves at the pointer.
  private static func text(_ resource: [UInt8]) -> String {
    String(decoding: resource, as: UTF8.self)
  }

  private var sections: [String] {
    var parts: [String] = []
    if !subjects.runs.isEmpty {
      parts.append(section("Runs", tables.overview.html))
      parts.append(section("Health", health))
      let charts = ReportCharts(subjects.runs).groups
      for (index, group) in charts.enumerated() {
        let figures = "<div class=\"figures\">\(group.figures.joined(separator: "\n"))</div>"
        parts.append(section(group.title, (index == 0 ? legend : "") + figures))
      }
      if let table = tables.heldOut { parts.append(section("Held-out text", table.html)) }
    }
    if let table = tables.finetuning { parts.append(section("Fine-tuning", table.html)) }
    for (title, classes) in tables.classes {
      parts.append(section(title, classes.map(\.html).joined(separator: "\n")))
    }
    if let table = tables.settings {
      let title =
        subjects.runs.count > 1 ? "Where the runs differ" : "Settings that differ from the preset"
      parts.append(section(title, table.html))
    }
    return parts
  }

  private func section(_ title: String, _ body: String) -> String {
    "<section>\n<h2>\(title.inXML)</h2>\n\(body)\n</section>"
  }

  /// The health warnings of all runs.
  private var health: String {
    let warnings = subjects.runs.flatMap { run in
      run.warnings.map { line in
        let name = (line.text(.verdict) ?? "").replacingOccurrences(of: "-", with: " ")
        let isFatal = line.text(.severity) == "grave"
        let severity = isFatal ? "fatal" : line.text(.severity) ?? ""
        return "<li class=\"\(severity)\"><b>\(run.name.inXML), step \(line.step.grouped): "
          + "\(name.inXML)</b> <small>\(severity.inXML)</small><br/>"
          + "\((line.text(.sentence) ?? "").inXML)</li>"
      }
    }
    let silent = subjects.runs.filter(\.warnings.isEmpty).map(\.name).joined(separator: ", ")
    return (warnings.isEmpty ? "" : "<ul class=\"warnings\">\(warnings.joined())</ul>")
      + (silent.isEmpty ? "" : "<p class=\"quiet\">\(silent.inXML): no warnings.</p>")
  }

  /// The colours of the runs and the kinds of lines.
  private var legend: String {
    let runs = subjects.runs.enumerated().map { number, run in
      "<li><i style=\"background:\(ReportCharts.color(number))\"></i>\(run.name.inXML)</li>"
    }
    let kinds = [
      ("1.2", " opacity=\".55\"", "training"), ("2", "", "held out"),
      ("1.2", " stroke-dasharray=\"4 3\"", "published ELECTRA-Small, within the range of the runs"),
    ].map { width, style, name in
      "<li><svg width=\"26\" height=\"8\"><line x1=\"0\" x2=\"26\" y1=\"4\" y2=\"4\" "
        + "stroke=\"currentColor\" stroke-width=\"\(width)\"\(style)/></svg>\(name)</li>"
    }
    return "<ul class=\"legend\">\((runs + kinds).joined())</ul>"
  }
}
