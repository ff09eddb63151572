using System.Text;
using System.Text.Json;

namespace Datacake.Crdt.Tests;

/// <summary>Test cases that the executable model of the replication protocol has computed (tests/Models/vectors.py).</summary>
static class ModelVectors
{
    public static IEnumerable<JsonElement> Read(string name)
    {
        using var stream = typeof(ModelVectors).Assembly.GetManifestResourceStream(name)!;
        using var cases = JsonDocument.Parse(stream);
        return [.. cases.RootElement.EnumerateArray().Select(item => item.Clone())];
    }

    public static HlcTimestamp Stamp(this JsonElement json) => new(json.GetUInt64());

    /// <summary>Parses a path: [property], [property, element] or [property, base, run].</summary>
    public static DocumentPath Path(this JsonElement json)
    {
        string property = json[0].GetString()!;
        return json.GetArrayLength() switch
        {
            1 => DocumentPath.OfProperty(property),
            2 => DocumentPath.OfElement(property, Encoding.UTF8.GetBytes(json[1].GetString()!)),
            _ => DocumentPath.OfCounterShare(property, json[1].Stamp(), json[2].Stamp()),
        };
    }

    /// <summary>Parses a value: an integer, or null for a removal.</summary>
    public static byte[]? Value(this JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Null)
            return null;
        var bytes = new byte[CounterValue.Size];
        CounterValue.Write(bytes, json.GetInt64());
        return bytes;
    }

    /// <summary>Parses and merges a list of [kind, stamp, cells].</summary>
    public static Document Merged(this JsonElement transactions) => transactions.EnumerateArray().Select(transaction =>
    {
        var stamp = transaction[1].Stamp();
        var content = Generate.ContentOf([.. transaction[2].EnumerateArray().Select(cell => (cell[0].Path(), cell[1].Value()))]);
        return transaction[0].GetString() switch
        {
            "put" => Document.Put(stamp, content),
            "update" => Document.Update(stamp, content),
            _ => Document.Delete(stamp),
        };
    }).Aggregate(Document.Nothing, Document.Merge);

    /// <summary>Parses a mapping from node to a list of [low, high].</summary>
    public static VersionVector Known(this JsonElement json)
    {
        var known = VersionVector.Empty;
        foreach (var node in json.EnumerateObject())
        {
            foreach (var interval in node.Value.EnumerateArray())
                known = known.Union(VersionVector.Of(byte.Parse(node.Name, provider: null), interval[0].Stamp(), interval[1].Stamp()));
        }
        return known;
    }
}
