using System.Globalization;
using Datacake.EventualConsistency;

namespace Datacake.Quickstart;

/// <summary>A table of the nodes' keyspaces: one line per node, with the number of documents and the fingerprint of each keyspace.</summary>
static class StatisticsTable
{
    const int CountWidth = 6;
    const int FingerprintDigits = 12;

    public static IEnumerable<string> Format(IReadOnlyList<(int Node, IReadOnlyList<KeyspaceStatistics> Keyspaces)> nodes)
    {
        string titles = string.Concat(nodes[0].Keyspaces.Select(keyspace => keyspace.Name.PadRight(CountWidth + FingerprintDigits + 5)));
        yield return $"         {titles}".TrimEnd();
        foreach (var (node, keyspaces) in nodes)
            yield return $"node {node,-4}{string.Concat(keyspaces.Select(Cell))}".TrimEnd();
    }

    static string Cell(KeyspaceStatistics keyspace) => string.Create(CultureInfo.InvariantCulture,
        $"{keyspace.Count,CountWidth}  {keyspace.Fingerprint.ToString("x32", CultureInfo.InvariantCulture)[..FingerprintDigits]}   ");
}
