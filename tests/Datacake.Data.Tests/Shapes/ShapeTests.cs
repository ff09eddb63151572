using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Shapes;

/// <summary>Tests of class shapes that lose data in other tools.</summary>
public sealed class ShapeTests(StoreFixture store)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Properties_without_setters_and_lists_behind_interfaces_are_read_back()
    {
        var id = Guid.NewGuid();
        var created = new DateTime(2020, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        await using (var db = Context())
        {
            var diary = new Diary(id, created) { Number = new(7), Word = new("seven") };
            diary.Lines.Add("second");
            diary.Seal[1] = 9;
            diary.Cover.Words.Add("red");
            diary.Cover.Color = "red";
            diary.Others.Add(new Cover { Words = { "blue" } });
            diary.Write("page 1");
            diary.Say("hello");
            db.Diaries.Add(diary);
            await db.SaveChangesAsync(Token);
        }
        for (int i = 0; i < 2; i++)
        {
            await using var db = Context();
            var read = await db.Diaries.FindAsync([id], Token);
            Assert.NotNull(read);
            Assert.Equal((id, "hello", created), (read.Id, read.Note, read.Created));
            Assert.Equal(["first", "second"], read.Lines);
            Assert.Equal([1, 9], read.Seal);
            Assert.Equal(["blank", "red"], read.Cover.Words);
            Assert.Equal(("red", "none"), (read.Cover.Color, read.Cover.Code));
            Assert.Equal(["blank", "blue"], Assert.Single(read.Others).Words);
            Assert.Equal(("page 1", 1), (Assert.Single(read.Pages), read.PageCount));
            Assert.Equal((new Wrapped<int>(7), new Wrapped<string>("seven")), (read.Number, read.Word));
            // Neither a read nor a save of another property changes these properties.
            Assert.False(db.ChangeTracker.HasChanges());
            read.Say("hello");
            await db.SaveChangesAsync(Token);
        }
    }

    [Fact]
    public async Task Owned_object_of_a_derived_class_is_refused_and_named_before_anything_is_stored()
    {
        await using var db = Context();
        var diary = new Diary(Guid.NewGuid(), DateTime.UnixEpoch);
        diary.Others.Add(new HardCover { Weight = 3 });
        db.Diaries.Add(diary);
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Contains($"Others of the Diary {diary.Id} has a HardCover, which would be read back as a Cover", exception.Message, StringComparison.Ordinal);
        await using var other = Context();
        Assert.Null(await other.Diaries.FindAsync([diary.Id], Token));
    }

    [Fact]
    public async Task Missing_property_with_a_nondeterministic_initializer_is_unchanged()
    {
        await using (var db = new UnstampedContext(store.Node) { DefaultConsistency = Consistency.None })
        {
            db.Entities.Add(new Unstamped { Id = 1, Name = "old" });
            await db.SaveChangesAsync(Token);
        }
        await using (var db = Stamped())
        {
            var read = await db.Entities.SingleAsync(entity => entity.Id == 1, Token);
            Assert.False(db.ChangeTracker.HasChanges());
            Assert.Equal(0, (await db.SaveChangesAsync(Token)).Count);
            read.Name = "new";
            await db.SaveChangesAsync(Token);
            read.Name = "newer";
            await db.SaveChangesAsync(Token);
            read.Stamp = "stamp 1";
            await db.SaveChangesAsync(Token);
            read.Stamp = "stamp 2";
            await db.SaveChangesAsync(Token);
        }
        await using var first = Stamped();
        await using var second = Stamped();
        var mine = await first.Entities.SingleAsync(entity => entity.Id == 1, Token);
        var theirs = await second.Entities.SingleAsync(entity => entity.Id == 1, Token);
        Assert.Equal(("newer", "stamp 2"), (mine.Name, mine.Stamp));
        mine.Stamp = "stamp 3";
        await first.SaveChangesAsync(Token);
        theirs.Name = "lost";
        await Assert.ThrowsAsync<EntityConflictException>(() => second.SaveChangesAsync(Token));
    }

    DiaryContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };

    StampedContext Stamped() => new(store.Node) { DefaultConsistency = Consistency.None };
}
