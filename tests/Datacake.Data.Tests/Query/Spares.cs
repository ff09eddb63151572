using System.ComponentModel.DataAnnotations.Schema;
using System.Linq.Expressions;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>An entity whose properties have few values, so that many entities compare equal.</summary>
[Index(nameof(Group), nameof(Code))]
[Index(nameof(Group), nameof(Size), IsDescending = [false, true])]
public sealed class Spare
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public long Id { get; set; }
    [Index] public string? Kind { get; set; }
    [Index] public int? Rank { get; set; }
    [Index] public string Text { get; set; } = "";      // sometimes longer than an index holds
    [Index] public HashSet<string> Tags { get; set; } = [];
    [Index] public decimal Price { get; set; }
    [Index] public double Weight { get; set; }
    [Index] public SpareState State { get; set; }
    public int Group { get; set; }
    public long Code { get; set; }
    public int Size { get; set; }
    public string? Name { get; set; }
}

public enum SpareState : byte
{
    New,
    Used,
    Broken,
}

public sealed partial class SpareContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("parts")]
    public partial Keyspace<Spare> Parts { get; }

    /// <summary>Stores parts, changes and deletes some, and returns those that are left in the order of their keys.</summary>
    public static async Task<List<Spare>> FillAsync(DatacakeNode node, int count, CancellationToken cancellationToken)
    {
        var random = new Random(5);
        await using var db = new SpareContext(node) { DefaultConsistency = Consistency.None };
        List<Spare> parts = [.. Enumerable.Range(0, count).Select(i => Change(new Spare { Id = i * 3 }))];
        db.Parts.AddRange(parts);
        await db.SaveChangesAsync(cancellationToken);
        foreach (var part in parts.Where(static part => part.Id % 4 == 0))
            Change(part);
        List<Spare> removed = [.. parts.Where(static part => part.Id % 7 == 0)];
        db.Parts.RemoveRange(removed);
        await db.SaveChangesAsync(cancellationToken);
        return [.. parts.Except(removed)];

        Spare Change(Spare part)
        {
            string[] kinds = ["bolt", "nut", "ring", ""];
            string[] names = ["a", "b", "B", "ä", "zz"];
            part.Kind = random.Next(6) == 0 ? null : kinds[random.Next(kinds.Length)];
            part.Rank = random.Next(5) == 0 ? null : random.Next(-3, 4);
            part.Text = new string((char)('a' + random.Next(3)), random.Next(3) == 0 ? 198 + random.Next(4) : random.Next(3)) + (random.Next(2) == 0 ? "x" : "");
            part.Tags = [.. kinds.Where(_ => random.Next(2) == 0)];
            part.Price = random.Next(-20, 20) / (random.Next(2) == 0 ? 10m : 4.00m);
            part.Weight = random.Next(-20, 20) / 8.0;
            part.State = (SpareState)random.Next(3);
            (part.Group, part.Code, part.Size) = (random.Next(4), random.Next(10), random.Next(-5, 5));
            part.Name = random.Next(7) == 0 ? null : names[random.Next(names.Length)];
            return part;
        }
    }
}

/// <summary>A key to order parts by, in a query and in memory.</summary>
public sealed record SpareOrder(
    string Name, Func<Query<Spare>, OrderedQuery<Spare>> First, Func<OrderedQuery<Spare>, OrderedQuery<Spare>> Next,
    Func<IEnumerable<Spare>, IOrderedEnumerable<Spare>> FirstInMemory, Func<IOrderedEnumerable<Spare>, IOrderedEnumerable<Spare>> NextInMemory)
{
    public static IReadOnlyList<SpareOrder> All { get; } =
    [
        .. Of(p => p.Id), .. Of(p => p.Kind, StringComparer.Ordinal), .. Of(p => p.Rank), .. Of(p => p.Text, StringComparer.Ordinal), .. Of(p => p.Price),
        .. Of(p => p.Group), .. Of(p => p.Code), .. Of(p => p.Size), .. Of(p => p.State), .. Of(p => p.Name, StringComparer.Ordinal), .. Of(p => p.Tags.Count),
    ];

    static SpareOrder[] Of<TKey>(Expression<Func<Spare, TKey>> key, IComparer<TKey>? comparer = null)
    {
        var compiled = key.Compile();
        return
        [
            new($"{key.Body}", q => q.OrderBy(key), q => q.ThenBy(key), q => q.OrderBy(compiled, comparer), q => q.ThenBy(compiled, comparer)),
            new($"{key.Body} descending", q => q.OrderByDescending(key), q => q.ThenByDescending(key), q => q.OrderByDescending(compiled, comparer), q => q.ThenByDescending(compiled, comparer)),
        ];
    }
}
