using System.Text.Json;

namespace Datacake.Crdt.Tests;

/// <summary>Tests that compare the library with the executable model of the replication protocol.</summary>
public class ModelAgreementTests
{
    [Fact]
    public void Documents_merge_as_in_the_model() => ForEachCase("documents", json =>
    {
        var merged = Document.Merge(json.GetProperty("left").Merged(), json.GetProperty("right").Merged());
        var expected = json.GetProperty("merged");
        Assert.Equal(expected.GetProperty("born").Stamp(), merged.Born);
        Assert.Equal(expected.GetProperty("touched").Stamp(), merged.Touched);
        Assert.Equal(expected.GetProperty("died").Stamp(), merged.Died);
        Assert.Equal(
            expected.GetProperty("cells").EnumerateArray()
                .Select(cell => (Path: cell[0].Path(), Stamp: cell[1].Stamp(), Value: Text(cell[2].Value()))).OrderBy(cell => cell.Path),
            CellsOf(merged).Select(cell => (cell.Path, cell.Stamp, Text(cell.Value))));
        Assert.Equal(merged, Document.Parse(merged.Encoded));
    });

    [Fact]
    public void Documents_are_alive_and_show_the_same_content_as_in_the_model() => ForEachCase("documents", json =>
    {
        var merged = Document.Merge(json.GetProperty("right").Merged(), json.GetProperty("left").Merged());
        Assert.Equal(
            json.GetProperty("shown").EnumerateArray().Select(path => path.Path()).Order(),
            CellsOf(merged).Where(cell => cell.IsShown).Select(cell => cell.Path));
        // Documents that only serial transactions write merge as the model's first policy says.
        Assert.Equal(merged.IsAlive(MergePolicy.LastWriterWins), merged.IsAlive(MergePolicy.Serial));
        foreach (var policy in (MergePolicy[])[MergePolicy.LastWriterWins, MergePolicy.DeleteWins])
        {
            Assert.Equal(json.GetProperty("alive").GetProperty($"{policy}").GetBoolean(), merged.IsAlive(policy));
            var content = json.GetProperty("content").GetProperty($"{policy}");
            Assert.Equal(content.ValueKind != JsonValueKind.Null, merged.IsAlive(policy));
            if (merged.IsAlive(policy))
            {
                var entries = content.EnumerateArray().Select(entry => $"{string.Join(' ', entry[0].EnumerateArray())} = {entry[1]}");
                Assert.Equal(entries.Order(), ContentOf(merged).Order());
            }
        }
    });

    [Fact]
    public void Known_sets_combine_as_in_the_model() => ForEachCase("known-sets", json =>
    {
        VersionVector a = json.GetProperty("a").Known(), b = json.GetProperty("b").Known();
        Assert.Equal(json.GetProperty("union").Known(), a.Union(b));
        Assert.Equal(json.GetProperty("difference").Known(), a.Except(b));
        Assert.Equal(json.GetProperty("intersection").Known(), a.Intersect(b));
        Assert.Equal(json.GetProperty("between").Known(), a.Between(json.GetProperty("low").Stamp(), json.GetProperty("high").Stamp()));
        Assert.Equal(json.GetProperty("ofNode").Known(), a.OfNode(json.GetProperty("node").GetByte()));
        Assert.Equal(json.GetProperty("covers").GetBoolean(), a.Covers(b));
        Assert.Equal(json.GetProperty("top").Stamp(), a.Top);
        foreach (var probe in json.GetProperty("contains").EnumerateArray())
            Assert.Equal(probe[1].GetBoolean(), a.Contains(probe[0].Stamp()));
    });

    [Fact]
    public void Known_sets_have_the_same_intervals_as_in_the_model() => ForEachCase("known-sets", json =>
    {
        var a = json.GetProperty("a");
        var known = a.Known();
        Assert.Equal(a.EnumerateObject().Select(node => byte.Parse(node.Name, provider: null)), known.Nodes);
        foreach (var node in a.EnumerateObject())
        {
            Assert.Equal(
                node.Value.EnumerateArray().Select(interval => new StampInterval(interval[0].Stamp(), interval[1].Stamp())),
                known[byte.Parse(node.Name, provider: null)].ToArray());
        }
    });

    static void ForEachCase(string vectors, Action<JsonElement> test)
    {
        int count = 0;
        foreach (var json in ModelVectors.Read(vectors))
        {
            try
            {
                test(json);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"Case {count} of {vectors}: {error.Message}\n{json}", error);
            }
            count++;
        }
        Assert.Equal(300, count);
    }

    static List<(DocumentPath Path, HlcTimestamp Stamp, byte[]? Value, bool IsShown)> CellsOf(Document document)
    {
        var cells = new List<(DocumentPath, HlcTimestamp, byte[]?, bool)>();
        foreach (var cell in document.Cells)
        {
            cells.Add((
                new DocumentPath(cell.EncodedPath.ToArray()),
                cell.Stamp,
                cell.IsRemoved ? null : cell.Value.ToArray(),
                cell.IsShown(document.Born)));
        }
        return cells;
    }

    /// <summary>Returns the content that a reader sees, with the shares of each counter added up.</summary>
    static IEnumerable<string> ContentOf(Document document)
    {
        var sums = new Dictionary<string, long>();
        foreach (var cell in document.Cells)
        {
            if (!cell.IsShown(document.Born))
                continue;
            string path = System.Text.Encoding.UTF8.GetString(cell.Property) + cell.Kind switch
            {
                DocumentPathKind.Property => "",
                DocumentPathKind.Element => " " + System.Text.Encoding.UTF8.GetString(cell.Element),
                _ => " sum",
            };
            sums[path] = sums.GetValueOrDefault(path) + CounterValue.Read(cell.Value);
        }
        return sums.Select(sum => $"{sum.Key} = {sum.Value}");
    }

    static string Text(byte[]? value) => value is null ? "removed" : $"{CounterValue.Read(value)}";
}
