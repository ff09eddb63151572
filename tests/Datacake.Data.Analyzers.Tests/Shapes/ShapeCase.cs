using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Tests;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>Runs one shape on a store. The generated code of the matrix derives from this class.</summary>
public abstract class ShapeCase
{
    /// <summary>Saves, reads, updates, queries and merges.</summary>
    public abstract Task RunAsync(DatacakeNode node);

    /// <summary>Reads again the entities that <see cref="RunAsync"/> left in the store.</summary>
    public abstract Task ReadAgainAsync(DatacakeNode node);
}

/// <inheritdoc/>
public abstract class ShapeCase<TContext, TEntity> : ShapeCase
    where TContext : DatacakeContext
    where TEntity : class
{
    readonly List<(object[] Key, string Content)> _stored = [];

    public abstract int Count { get; }

    /// <summary>True if the property of interest is the key.</summary>
    public abstract bool IsKey { get; }

    protected abstract TContext Open(DatacakeNode node);

    protected abstract Keyspace<TEntity> Things(TContext context);

    protected abstract object[] KeyOf(TEntity thing);

    /// <summary>Creates an entity with the value of this number.</summary>
    protected abstract TEntity Make(long id, int value);

    /// <summary>Gives an entity the value of this number. Returns <see langword="false"/> if its class does not allow that.</summary>
    protected abstract bool Become(TEntity thing, int value);

    protected abstract void SetOther(TEntity thing, string value);

    /// <summary>Returns a query for the entities with the value; null if there is no such condition.</summary>
    protected virtual Query<TEntity>? Where(Keyspace<TEntity> things, int value) => null;

    /// <summary>True if the condition uses the index or the key for every value. <c>Equals</c> of a nullable number does not for all.</summary>
    protected virtual bool IsIndexed => true;

    public override async Task RunAsync(DatacakeNode node)
    {
        await using (var db = Open(node))
        {
            for (int i = 0; i < Count; i++)
            {
                var thing = Make(i + 1, i);
                SetOther(thing, "first");
                Things(db).Add(thing);
                _stored.Add((KeyOf(thing), Describe(thing)));
            }
            await db.SaveChangesAsync(Token);
        }
        await ReadAgainAsync(node);
        await QueryAsync(node);
        await UpdateAsync(node);
        await ReadAgainAsync(node);
        await using var other = Open(node);
        Merge(Things(other).Model);
    }

    public override async Task ReadAgainAsync(DatacakeNode node)
    {
        await using var db = Open(node);
        foreach (var (key, content) in _stored)
        {
            var read = await Things(db).FindAsync(key, Token);
            Assert.NotNull(read);
            Assert.Equal(content, Describe(read));
        }
        Assert.False(db.ChangeTracker.HasChanges(), "A read must not change an entity.");
    }

    async Task QueryAsync(DatacakeNode node)
    {
        await using var db = Open(node);
        for (int i = 0; i < Count; i++)
        {
            if (Where(Things(db), i) is not { } query)
                return;
            Assert.False(IsIndexed && query.Explain().Split(';')[0].Contains("full scan", StringComparison.Ordinal), query.Explain());
            var found = await query.ToListAsync(Token);
            Assert.Contains(_stored[i].Content, found.Select(Describe));
        }
    }

    async Task UpdateAsync(DatacakeNode node)
    {
        await using var db = Open(node);
        var thing = await Things(db).FindAsync(_stored[0].Key, Token);
        Assert.NotNull(thing);
        if (IsKey)
            SetOther(thing, "second");
        else if (!Become(thing, 1))
        {
            db.ChangeTracker.Clear();
            thing = Make(1, 1);
            SetOther(thing, "second");
            Things(db).Put(thing);
        }
        Assert.True(db.ChangeTracker.HasChanges(), "The change was not detected.");
        await db.SaveChangesAsync(Token);
        _stored[0] = (_stored[0].Key, Describe(thing));
    }

    /// <summary>Changes the tested property on one replica and the other property on another, and checks that both changes survive.</summary>
    void Merge(EntityModel model)
    {
        var mine = new TestReplica(1);
        var theirs = new TestReplica(2);
        var before = Make(1, 0);
        var key = model.KeyOf(before);
        Write(mine, before, null, 1);
        theirs.MergeFrom(mine);
        var edited = (TEntity)model.ReadEntity(key, mine.Document);
        if (!IsKey && !Become(edited, 1))
            edited = Make(1, 1);
        Write(mine, edited, (TEntity)model.ReadEntity(key, mine.Document), 2);
        var elsewhere = (TEntity)model.ReadEntity(key, theirs.Document);
        SetOther(elsewhere, "theirs");
        Write(theirs, elsewhere, (TEntity)model.ReadEntity(key, theirs.Document), 3);
        mine.MergeFrom(theirs);
        theirs.MergeFrom(mine);
        Assert.Equal(mine.Document, theirs.Document);
        var expected = IsKey ? before : Make(1, 1);
        SetOther(expected, "theirs");
        Assert.Equal(Describe(expected), Describe((TEntity)model.ReadEntity(key, mine.Document)));

        void Write(TestReplica replica, TEntity thing, TEntity? original, ulong time)
        {
            var content = model.Encode(thing, new CellWriter());
            var transaction = new Transaction();
            if (original is null)
                transaction.Put("x", key, content.Cells, content.Counters);
            else if (content.ChangesFrom(model.Encode(original, new CellWriter())) is { IsEmpty: false } changes)
                transaction.Update("x", key, changes.Cells, changes.Counters);
            else
                return;
            replica.Apply(transaction.Operations[0], time);
        }
    }

    string Describe(TEntity thing) => Content.Describe(thing, IsKey ? "Id" : null);

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
