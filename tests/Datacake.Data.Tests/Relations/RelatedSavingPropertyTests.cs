using CsCheck;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Relations;

/// <summary>Changes a tree of employees at random and compares it with the expected tree after each save.</summary>
public class RelatedSavingPropertyTests : TradingStore
{
    enum Change
    {
        AddToCollection,
        MoveBetweenCollections,
        TakeFromCollection,
        SetReference,
        SetForeignKey,
        Delete,
        Look,
        Save,
        FailToSave,
    }

    [Fact]
    public async Task Both_ends_of_a_relation_and_the_store_agree_after_any_changes()
    {
        await using var node = await StartAsync("memory");
        long last = 0;
        var changes = Gen.Select(Gen.Enum<Change>(), Gen.Int[0, 5], Gen.Int[0, 5]).Array[1, 12];
        await changes.SampleAsync(
            async steps =>
            {
                long first = last += 100;
                await using var db = NewContext(node);
                await CheckAsync(db, node, first, steps);
            },
            iter: 500,
            threads: 1);
    }

    static async Task CheckAsync(TradingContext db, DatacakeNode node, long first, (Change Change, int A, int B)[] steps)
    {
        for (int i = 0; i < 4; i++)
            db.Employees.Add(new Employee { Id = first + i, Name = $"{i}", ManagerId = i == 0 ? null : first });
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        var all = await db.Employees.Include(e => e.Reports).Include(e => e.Manager).Where(e => e.Id >= first && e.Id < first + 100).ToListAsync(Token);
        var managers = all.ToDictionary(e => e, e => e.Manager);
        var touched = new HashSet<Employee>();
        long next = first + 4;
        foreach (var (change, a, b) in steps)
        {
            var (who, other) = (all[a % all.Count], all[b % all.Count]);
            if (who == other && change is not (Change.Look or Change.Save or Change.FailToSave))
                continue;
            // New entities that are reachable only from each other are never saved.
            if (change is Change.MoveBetweenCollections or Change.SetReference && !IsStored(db, who) && !IsStored(db, other))
                continue;
            // Two changes of the same entity without DetectChanges in between may contradict each other.
            if (touched.Contains(who) || change == Change.Delete)
                Look(db, touched);
            touched.Add(who);
            switch (change)
            {
                case Change.AddToCollection:
                    var added = new Employee { Id = next++, Name = "new" };
                    who.Reports.Add(added);
                    all.Add(added);
                    managers.Add(added, who);
                    touched.Add(added);
                    break;
                case Change.MoveBetweenCollections:
                    managers[who]?.Reports.Remove(who);
                    other.Reports.Add(who);
                    managers[who] = other;
                    break;
                case Change.TakeFromCollection when managers[who] is { } manager && IsStored(db, who):
                    manager.Reports.Remove(who);
                    managers[who] = null;
                    break;
                case Change.SetReference:
                    who.Manager = b % 2 == 0 ? other : null;
                    managers[who] = who.Manager;
                    break;
                case Change.SetForeignKey when IsStored(db, other):
                    who.ManagerId = other.Id;
                    managers[who] = other;
                    break;
                case Change.Delete when all.Count > 3 && IsStored(db, who):
                    db.Employees.Remove(who);
                    all.Remove(who);
                    managers.Remove(who);
                    foreach (var report in all.Where(e => managers[e] == who))
                        managers[report] = null;
                    await SaveAsync(db, node, first, managers);
                    break;
                case Change.Look:
                    Look(db, touched);
                    break;
                case Change.Save:
                    await SaveAsync(db, node, first, managers);
                    touched.Clear();
                    break;
                case Change.FailToSave:
                    if (db.ChangeTracker.HasChanges())
                        await Assert.ThrowsAsync<NotEnoughNodesException>(() => db.SaveChangesAsync(Consistency.Three, Token));
                    touched.Clear();
                    break;
            }
        }
        await SaveAsync(db, node, first, managers);
    }

    static bool IsStored(TradingContext db, Employee employee) => db.Entry(employee).State is EntityState.Unchanged or EntityState.Modified;

    static void Look(TradingContext db, HashSet<Employee> touched)
    {
        db.ChangeTracker.DetectChanges();
        touched.Clear();
    }

    static async Task SaveAsync(TradingContext db, DatacakeNode node, long first, Dictionary<Employee, Employee?> managers)
    {
        await db.SaveChangesAsync(Token);
        await using var other = NewContext(node);
        var stored = await other.Employees.AsNoTracking().Where(e => e.Id >= first && e.Id < first + 100).ToDictionaryAsync(e => e.Id, Token);
        Assert.Equal(managers.Keys.Select(e => e.Id).Order(), stored.Keys.Order());
        foreach (var (employee, manager) in managers)
        {
            Assert.Equal(manager?.Id, stored[employee.Id].ManagerId);
            Assert.Equal(manager?.Id, employee.ManagerId);
            Assert.Same(manager, employee.Manager);
            Assert.Equal(managers.Where(pair => pair.Value == employee).Select(pair => pair.Key.Id).Order(), employee.Reports.Select(e => e.Id).Order());
        }
        Assert.False(db.ChangeTracker.HasChanges());
    }
}
