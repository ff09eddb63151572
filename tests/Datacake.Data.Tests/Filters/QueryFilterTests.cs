using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Filters;

public class QueryFilterTests(StoreFixture store)
{
    static long _lastId = 5_000_000;

    [Fact]
    public async Task Filter_applies_to_every_query()
    {
        var notes = await AddAsync();
        await using var db = NewContext("a");
        var mine = db.Notes.Where(note => note.Id >= notes[0].Id && note.Id <= notes[2].Id);
        Assert.Equal(["kept"], await mine.Select(note => note.Title).ToListAsync(Token));
        Assert.Equal(1, await mine.CountAsync(Token));
        Assert.True(await mine.AnyAsync(Token));
        Assert.Equal("kept", await mine.MaxAsync(note => note.Title, Token));
        Assert.Equal(["kept"], (await mine.OrderBy(note => note.Title).ToListAsync(Token)).Select(note => note.Title));
        Assert.Single(await mine.ToArrayAsync(Token));
        Assert.Contains("IsDeleted", mine.Explain(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Filter_uses_the_values_of_the_context_when_the_query_runs()
    {
        var notes = await AddAsync();
        await using var db = NewContext("a");
        var query = db.Notes.Where(note => note.Id >= notes[0].Id && note.Id <= notes[2].Id).Select(note => note.Title);
        Assert.Equal(["kept"], await query.ToListAsync(Token));
        db.Tenant = "b";
        Assert.Equal(["other"], await query.ToListAsync(Token));
        await using var another = NewContext("c");
        Assert.Empty(await another.Notes.Where(note => note.Id >= notes[0].Id && note.Id <= notes[2].Id).ToListAsync(Token));
    }

    [Fact]
    public async Task Filters_apply_to_groups_joins_and_queryables()
    {
        var notes = await AddAsync();
        await using var db = NewContext("a");
        var ids = notes.Select(note => note.Id).ToList();
        var query = db.Notes.Where(note => ids.Contains(note.Id));
        var pairs = query.Join(query, note => note.Id, note => note.Id, (a, b) => new { a.Title, Other = b.Title });
        Assert.Equal(["kept"], await pairs.Select(pair => pair.Other).ToListAsync(Token));
        Assert.Equal(["kept", "deleted", "other"], await pairs.IgnoreQueryFilters().Select(pair => pair.Other).ToListAsync(Token));
        Assert.Equal([1], await query.GroupBy(note => 0).Select(group => group.Count()).ToListAsync(Token));
        Assert.Equal([3], await query.GroupBy(note => 0).Select(group => group.Count()).IgnoreQueryFilters().ToListAsync(Token));
        Assert.Equal(3, await query.Concat(query).Union(query).IgnoreQueryFilters().CountAsync(Token));
        Assert.Equal(1, await query.AsQueryable().CountAsync(Token));
        Assert.Equal(3, await query.AsQueryable().IgnoreQueryFilters().CountAsync(Token));
    }

    [Fact]
    public async Task Filters_can_be_ignored_all_at_once_or_by_name()
    {
        var notes = await AddAsync();
        await using var db = NewContext("a");
        var query = db.Notes.Where(note => note.Id >= notes[0].Id && note.Id <= notes[2].Id);
        Assert.Equal(["kept", "deleted", "other"], await query.IgnoreQueryFilters().Select(note => note.Title).ToListAsync(Token));
        Assert.Equal(["kept", "deleted"], await query.Select(note => note.Title).IgnoreQueryFilters(["deleted"]).ToListAsync(Token));
        Assert.Equal(["kept", "other"], await query.IgnoreQueryFilters(["tenant"]).Select(note => note.Title).ToListAsync(Token));
        Assert.Equal(3, await query.IgnoreQueryFilters(["tenant"]).IgnoreQueryFilters(["deleted"]).CountAsync(Token));
        Assert.Equal(3, await query.IgnoreQueryFilters().IgnoreQueryFilters(["tenant"]).CountAsync(Token));
    }

    [Fact]
    public async Task Filtered_out_entity_is_not_found_by_its_key_unless_it_is_tracked()
    {
        var notes = await AddAsync();
        await using var db = NewContext("a");
        Assert.NotNull(await db.Notes.FindAsync([notes[0].Id], Token));
        Assert.Null(await db.Notes.FindAsync([notes[1].Id], Token));
        Assert.Null(await db.Notes.WithConsistency(Consistency.Quorum).FindAsync([notes[2].Id], Token));
        await db.Notes.IgnoreQueryFilters().SingleAsync(note => note.Id == notes[1].Id, Token);
        Assert.NotNull(await db.Notes.FindAsync([notes[1].Id], Token));
    }

    [Fact]
    public async Task Filtered_out_entities_are_neither_updated_nor_deleted()
    {
        var notes = await AddAsync();
        await using var db = NewContext("a");
        var query = db.Notes.Where(note => note.Id >= notes[0].Id && note.Id <= notes[2].Id);
        Assert.Equal(1, await query.ExecuteUpdateAsync(s => s.SetProperty(note => note.Title, "x"), Token));
        Assert.Equal(1, await query.ExecuteDeleteAsync(Token));
        Assert.Equal(["deleted", "other"], await query.IgnoreQueryFilters().Select(note => note.Title).ToListAsync(Token));
    }

    [Fact]
    public async Task Filters_apply_to_included_entities()
    {
        var notes = await AddAsync();
        await using var db = NewContext("a");
        var folder = new Folder { Id = notes[0].FolderId, Name = "f" };
        db.Folders.Add(folder);
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();

        var folders = db.Folders.Where(known => known.Id == folder.Id).Include(known => known.Notes);
        Assert.Equal(["kept"], (await folders.AsNoTracking().SingleAsync(Token)).Notes.Select(note => note.Title));
        Assert.Equal(3, (await folders.AsNoTracking().IgnoreQueryFilters().SingleAsync(Token)).Notes.Count);

        (await db.Folders.SingleAsync(known => known.Id == folder.Id, Token)).IsDeleted = true;
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        var withFolder = db.Notes.Where(note => note.Id == notes[0].Id).Include(note => note.Folder);
        Assert.Null((await withFolder.AsNoTracking().SingleAsync(Token)).Folder);
        Assert.NotNull((await withFolder.IgnoreQueryFilters().SingleAsync(Token)).Folder);
    }

    [Fact]
    public async Task Filters_apply_to_related_entities_in_conditions_and_projections()
    {
        var notes = await AddAsync();
        await using var db = NewContext("a");
        var folder = new Folder { Id = notes[0].FolderId, Name = "f" };
        db.Folders.Add(folder);
        await db.SaveChangesAsync(Token);
        var folders = db.Folders.Where(known => known.Id == folder.Id);
        Assert.Equal(1, await folders.Select(known => known.Notes.Count).SingleAsync(Token));
        Assert.Equal(3, await folders.IgnoreQueryFilters().Select(known => known.Notes.Count).SingleAsync(Token));
        Assert.Empty(await folders.Where(known => known.Notes.Any(note => note.Title == "other")).ToListAsync(Token));
        Assert.Single(await folders.Where(known => known.Notes.Any(note => note.Title == "other")).IgnoreQueryFilters().ToListAsync(Token));

        folder.IsDeleted = true;
        await db.SaveChangesAsync(Token);
        var note = db.Notes.Where(note => note.Id == notes[0].Id);
        Assert.Null(await note.Select(note => note.Folder!.Name).SingleAsync(Token));
        Assert.Equal("f", await note.IgnoreQueryFilters().Select(note => note.Folder!.Name).SingleAsync(Token));
    }

    [Fact]
    public async Task Filter_on_related_entities_is_refused_and_named()
    {
        await using var db = new RelatedFilterContext(store.Node);
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Notes.ToListAsync(Token));
        Assert.Contains("Folder", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watchers_see_entities_that_start_and_stop_matching_the_filter()
    {
        var notes = await AddAsync();
        await using var db = NewContext("a");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        stop.CancelAfter(TimeSpan.FromSeconds(30));
        await foreach (var changes in db.Notes.Where(note => note.Id >= notes[0].Id && note.Id <= notes[2].Id).WatchAsync(stop.Token))
        {
            if (changes.Removed.Any())
                break;
            Assert.Equal(["kept"], changes.Added.Select(note => note.Title));
            await using var other = NewContext("a");
            (await other.Notes.FindAsync([notes[0].Id], Token))!.IsDeleted = true;
            await other.SaveChangesAsync(Token);
        }
    }

    [Fact]
    public async Task Conventions_apply_to_all_properties_of_a_type()
    {
        await using var db = NewContext("a");
        var folder = new Folder { Id = Interlocked.Increment(ref _lastId), Name = "f", Kind = FolderKind.Shared, Color = new Color(5), Draft = new Draft() };
        db.Add(folder);
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        var found = (await db.Folders.FindAsync([folder.Id], Token))!;
        Assert.Equal((FolderKind.Shared, new Color(5), null), (found.Kind, found.Color, found.Draft));
        found.Name = new string('x', 21);
        var e = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Contains("Name", e.Message, StringComparison.Ordinal);
        Assert.Contains("folders: index Name", db.Folders.Where(known => known.Name == "f").Explain(), StringComparison.Ordinal);
    }

    /// <summary>Adds three notes to one folder: one that tenant a sees, one that is deleted, and one of tenant b.</summary>
    async Task<IReadOnlyList<Note>> AddAsync()
    {
        long folder = Interlocked.Increment(ref _lastId), first = Interlocked.Add(ref _lastId, 3) - 2;
        IReadOnlyList<Note> notes =
        [
            new() { Id = first, Tenant = "a", Title = "kept", FolderId = folder },
            new() { Id = first + 1, Tenant = "a", Title = "deleted", IsDeleted = true, FolderId = folder },
            new() { Id = first + 2, Tenant = "b", Title = "other", FolderId = folder },
        ];
        await using var db = NewContext("a");
        db.Notes.AddRange(notes);
        await db.SaveChangesAsync(Token);
        return notes;
    }

    NoteContext NewContext(string tenant) => new(store.Node, tenant) { DefaultConsistency = Consistency.None };

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
