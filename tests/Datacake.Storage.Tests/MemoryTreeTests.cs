using System.Buffers.Binary;
using CsCheck;

namespace Datacake.Storage.Tests;

/// <summary>Trees of several levels, which the specification's few keys do not make.</summary>
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
                    var editor = new MemoryTree.Editor(tree, batch, shown: batch - 1);
                    // Growth by runs of ascending keys or at random, then shrinkage down to nothing.
                    bool grows = batch <= 6;
                    int next = random.Next(keys);
                    for (int i = 0; i < keys / 4; i++)
                    {
                        int key = batch % 2 == 0 ? random.Next(keys) : next++ % keys;
                        if (grows && model.Add(key))
                            editor.Put(new MemoryEntry(Key(key), Key(key)));
                        else if (!grows && model.Remove(key))
                            editor.Delete(Key(key));
                    }
                    if (batch == 12)
                    {
                        foreach (int key in model)
                            editor.Delete(Key(key));
                        model.Clear();
                    }
                    tree = editor.Root;
                    Check(tree, model);
                    Assert.Equal(count, Scan(before, ScanDirection.Forward).Count);
                }
            },
            iter: Math.Max(2, 30_000 / keys));

    static void Check(MemoryTree tree, SortedSet<int> model)
    {
        Assert.Equal(model, Scan(tree, ScanDirection.Forward));
        Assert.Equal(model.Reverse(), Scan(tree, ScanDirection.Reverse));
        foreach (int key in model.Take(100))
            Assert.Equal(key, BinaryPrimitives.ReadInt32BigEndian(tree.Get(Key(key))!.Value.Span));
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
