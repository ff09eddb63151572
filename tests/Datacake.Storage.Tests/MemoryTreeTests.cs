using System.Buffers.Binary;
using CsCheck;

namespace Datacake.Storage.Tests;

/// <summary>Tests of trees with several levels, which the few keys of the specification do not create.</summary>
public sealed class MemoryTreeTests
{
    [Theory]
    [InlineData(100)]
    [InlineData(3_000)]
    [InlineData(60_000)]
    public void A_tree_of_any_size_behaves_as_a_sorted_set_while_it_grows_and_shrinks(int keys) =>
        Gen.Int.Sample(
            seed =>
            {
                var random = new Random(seed);
                var model = new SortedSet<int>();
                MemoryTree tree = MemoryTree.Empty;
                for (int batch = 1; batch <= 12; batch++)
                {
                    MemoryTree before = tree;
                    int count = model.Count;
                    var editor = new MemoryTreeEditor(tree, batch, shown: batch - 1);
                    // The tree grows by runs of ascending keys or at random, and then shrinks to nothing.
                    bool grows = batch <= 6;
                    int next = random.Next(keys);
                    for (int i = 0; i < keys / 4; i++)
                    {
                        int key = batch % 2 == 0 ? random.Next(keys) : next++ % keys;
                        if (grows && model.Add(key))
                            editor.Put(Key(key), Key(key).AsSpan());
                        else if (!grows && model.Remove(key))
                            editor.Delete(Key(key));
                    }
                    if (batch == 12)
                    {
                        foreach (int key in model)
                            editor.Delete(Key(key));
                        model.Clear();
                    }
                    tree = editor.Tree;
                    Check(tree, model);
                    Assert.Equal(count, Scan(before, ScanDirection.Forward).Count);
                }
            },
            iter: Math.Max(2, 30_000 / keys));

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(120)]
    public void Keys_of_interleaved_ascending_runs_are_all_found(int runs)
    {
        const int Keys = 40_000;
        var editor = new MemoryTreeEditor(MemoryTree.Empty, version: 1, shown: 0);
        int each = Keys / runs;
        for (int i = 0; i < each; i++)
        {
            for (int run = 0; run < runs; run++)
                editor.Put(Key(run * each + i), Key(i).AsSpan());
        }
        Check(editor.Tree, [.. Enumerable.Range(0, runs * each)]);
    }

    /// <summary>Tests keys that share much, little or nothing, are prefixes of others or end in zeros, with short and long values.</summary>
    [Fact]
    public void Entries_are_found_for_any_lengths_and_shared_prefixes() =>
        Gen.Int.Sample(
            seed =>
            {
                var random = new Random(seed);
                // Uses hexadecimal digits, which sort like the bytes.
                var model = new SortedDictionary<string, int>(StringComparer.Ordinal);
                MemoryTree tree = MemoryTree.Empty;
                for (int batch = 1; batch <= 10; batch++)
                {
                    var editor = new MemoryTreeEditor(tree, batch, shown: random.Next(batch));
                    double deletes = random.NextDouble();
                    for (int i = 0; i < 1_000; i++)
                    {
                        byte[] key = AnyKey(random);
                        if (random.NextDouble() >= deletes)
                        {
                            model[Convert.ToHexString(key)] = i;
                            byte[] value = Value(i);
                            if (value.Length > MemoryBlock.MaxValueLength)
                                editor.Put(key, value);
                            else
                                editor.Put(key, value.AsSpan());
                        }
                        else
                        {
                            model.Remove(Convert.ToHexString(key));
                            editor.Delete(key);
                        }
                    }
                    tree = editor.Tree;
                    for (int i = 0; i < 10; i++)
                    {
                        var range = new KeyRange(AnyKey(random), random.Next(4) == 0 ? null : AnyKey(random));
                        string[] expected = range.IsEmpty ? [] : [.. model.Keys.Where(key => range.Contains(Convert.FromHexString(key)))];
                        Assert.Equal(expected, ScanKeys(tree, range, ScanDirection.Forward));
                        Assert.Equal(expected.Reverse(), ScanKeys(tree, range, ScanDirection.Reverse));
                    }
                    for (int i = 0; i < 100; i++)
                    {
                        byte[] key = AnyKey(random);
                        byte[]? expected = model.TryGetValue(Convert.ToHexString(key), out int number) ? Value(number) : null;
                        Assert.Equal(expected, tree.Get(key)?.ToArray());
                    }
                    Assert.Equal(model.Values.Select(Value), ScanAll(tree).Select(entry => entry.Value.ToArray()));
                    Assert.Equal(model.Keys, ScanKeys(tree, KeyRange.All, ScanDirection.Forward));
                }
            },
            iter: 12);

    static byte[] AnyKey(Random random)
    {
        byte[] shared = random.Next(5) switch
        {
            0 => [],
            1 => [2, 0, 1],
            2 => [2, 0, 1, 0x10, 0x80, 0, 0, 0, 0, 0],
            3 => [2, 0, 2, .. new byte[20]],
            _ => [3],
        };
        byte[] rest = new byte[random.Next(4) == 0 ? random.Next(12) : 2];
        for (int i = 0; i < rest.Length; i++)
            rest[i] = random.Next(3) == 0 ? (byte)0 : (byte)random.Next(256);
        return [.. shared, .. rest];
    }

    static string[] ScanKeys(MemoryTree tree, KeyRange range, ScanDirection direction)
    {
        var page = new MemoryPage(int.MaxValue);
        if (!range.IsEmpty)
            tree.Scan(range, direction, page);
        return [.. page.Select(entry => Convert.ToHexString(entry.Key.Span))];
    }

    /// <summary>Returns a value that contains its number, shorter or longer than a block.</summary>
    static byte[] Value(int number) => [.. Key(number), .. new byte[number % 3 == 0 ? number % 300 : number % 20]];

    static MemoryPage ScanAll(MemoryTree tree)
    {
        var page = new MemoryPage(int.MaxValue);
        tree.Scan(KeyRange.All, ScanDirection.Forward, page);
        return page;
    }

    static void Check(MemoryTree tree, SortedSet<int> model)
    {
        Assert.Equal(model, Scan(tree, ScanDirection.Forward));
        Assert.Equal(model.Reverse(), Scan(tree, ScanDirection.Reverse));
        foreach (int key in model.Take(100))
            Assert.True(tree.Get(Key(key)).HasValue);
    }

    static List<int> Scan(MemoryTree tree, ScanDirection direction)
    {
        var page = new MemoryPage(int.MaxValue);
        tree.Scan(KeyRange.All, direction, page);
        return [.. page.Select(entry => BinaryPrimitives.ReadInt32BigEndian(entry.Key.Span))];
    }

    static byte[] Key(int number)
    {
        byte[] key = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(key, number);
        return key;
    }
}
