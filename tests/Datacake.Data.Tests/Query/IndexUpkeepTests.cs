using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>Tests of the entries of indexes after changes of some properties of entities.</summary>
public sealed class IndexUpkeepTests : QueriedStore
{
    [Fact]
    public async Task Entities_are_found_by_their_current_values_whatever_properties_have_changed()
    {
        await using var node = await StartAsync("memory");
        await SpareContext.FillAsync(node, 120, Token);
        var random = new Random(11);
        for (int change = 0; change < 60; change++)
        {
            await using var db = new SpareContext(node) { DefaultConsistency = Consistency.None };
            var parts = await db.Parts.ToListAsync(Token);
            foreach (var part in parts.Where(_ => random.Next(10) == 0))
                Change(part);
            await db.SaveChangesAsync(Token);
            string? kind = random.Next(2) == 0 ? null : "ring";
            var changed = db.Parts.Where(p => p.Code == change % 10);
            if (change % 3 == 0)
                await changed.ExecuteUpdateAsync(set => set.SetProperty(p => p.Name, "renamed"), Token);
            else
                await changed.ExecuteUpdateAsync(set => set.SetProperty(p => p.Kind, kind), Token);
            await CompareAsync(node);
        }

        void Change(Spare part)
        {
            switch (random.Next(8))
            {
                case 0: part.Kind = random.Next(3) == 0 ? null : "bolt"; break;
                case 1: part.Rank = random.Next(3) == 0 ? null : random.Next(-3, 4); break;
                case 2: part.Tags = random.Next(2) == 0 ? [] : ["nut"]; break;
                case 3: part.Group = random.Next(4); break;
                case 4: part.Code = random.Next(10); break;
                case 5: part.Text = new string('a', random.Next(195, 205)); break;
                case 6: part.Size++; break;
                default: part.Name = $"{random.Next()}"; break;
            }
        }
    }

    static async Task CompareAsync(DatacakeNode node)
    {
        await using var db = new SpareContext(node);
        var all = await db.Parts.AsNoTracking().ToListAsync(Token);
        foreach (string? kind in (string?[])[null, "bolt", "nut", "ring", ""])
            Assert.Equal(all.Count(p => p.Kind == kind), await db.Parts.CountAsync(p => p.Kind == kind, Token));
        for (int? rank = -3; rank < 4; rank++)
            Assert.Equal(all.Count(p => p.Rank == rank), await db.Parts.CountAsync(p => p.Rank == rank, Token));
        Assert.Equal(all.Count(p => p.Rank == null), await db.Parts.CountAsync(p => p.Rank == null, Token));
        Assert.Equal(all.Count(p => p.Tags.Contains("nut")), await db.Parts.CountAsync(p => p.Tags.Contains("nut"), Token));
        Assert.Equal(all.Count(p => p.Group == 2 && p.Code > 4), await db.Parts.CountAsync(p => p.Group == 2 && p.Code > 4, Token));
        Assert.Equal(all.OrderBy(p => p.Text, StringComparer.Ordinal).Select(p => p.Id), (await db.Parts.OrderBy(p => p.Text).ToListAsync(Token)).Select(p => p.Id));
        Assert.Equal(
            all.OrderBy(p => p.Group).ThenByDescending(p => p.Size).Select(p => p.Id),
            (await db.Parts.OrderBy(p => p.Group).ThenByDescending(p => p.Size).ToListAsync(Token)).Select(p => p.Id));
    }
}
