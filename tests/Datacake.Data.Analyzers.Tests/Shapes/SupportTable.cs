using System.Text;

namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>The table of supported types and positions in the README. Types with the same supported positions share a row.</summary>
static class SupportTable
{
    static readonly (string Title, Position[] Positions)[] Columns =
    [
        ("property", [Position.Property, Position.Inherited, Position.Derived, Position.Owned, Position.GenericOwned]),
        ("in an object or structure that is one value", [Position.ObjectInList]),
        ("in a list, value of a dictionary", [Position.Element, Position.DictionaryValue]),
        ("in a set, key of a dictionary", [Position.SetElement, Position.DictionaryKey]),
        ("key", [Position.Key]),
        ("index", [Position.Index]),
        ("counter", [Position.Counter]),
    ];

    static readonly string[] Words = ["enums", "classes", "records", "structures", "arrays", "tuples", "delegates"];

    public static string Write(IEnumerable<Outcome> outcomes)
    {
        var ofKinds = outcomes.Where(outcome => outcome.Shape is { Accessor: Accessor.GetSet, IsReferenced: false }).ToLookup(outcome => NameOf(outcome.Shape.Kind));
        var rows = Kinds.All.Select(NameOf).Distinct().GroupBy(name => string.Join(" | ", Columns.Select(column => Cell([.. ofKinds[name].Where(outcome => column.Positions.Contains(outcome.Shape.Position))]))));
        var table = new StringBuilder();
        table.Append("| type | ").AppendJoin(" | ", Columns.Select(column => column.Title)).Append(" |\n|---").Insert(table.Length, "|---", Columns.Length).Append("|\n");
        foreach (var row in rows)
            table.Append("| ").AppendJoin(", ", row).Append(" | ").Append(row.Key).Append(" |\n");
        return table.ToString();
    }

    static string NameOf(Kind kind) => kind.Name.Contains(' ', StringComparison.Ordinal) || Words.Contains(kind.Name) ? kind.Name : $"`{kind.Name}`";

    static string Cell(IReadOnlyCollection<Outcome> outcomes)
    {
        var errors = outcomes.Select(outcome => outcome.Error ?? "yes").Distinct().ToList();
        return errors is ["yes"] ? "yes" : errors is [var only] ? only : throw new InvalidOperationException(
            string.Join("; ", outcomes.Select(outcome => $"{outcome.Shape}: {outcome.Error ?? "yes"}")));
    }
}
