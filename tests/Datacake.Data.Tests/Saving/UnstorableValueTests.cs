using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Saving;

public sealed class Diary
{
    public long Id { get; set; }
    public DateTime WrittenAt { get; set; }
    [System.ComponentModel.DataAnnotations.ConcurrencyCheck] public int Version { get; set; }
}

/// <summary>An entity whose initial values cannot be stored.</summary>
public sealed class Postcard
{
    public long Id { get; set; }
    [Index] public DateTime SentAt { get; set; } = DateTime.SpecifyKind(DateTime.UnixEpoch, DateTimeKind.Local);
}

public sealed class Appointment
{
    [System.ComponentModel.DataAnnotations.Key] public DateTime At { get; set; }
}

public sealed partial class DiaryContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Diary> Diaries { get; }

    public partial Keyspace<Appointment> Appointments { get; }
}

public sealed partial class PostcardContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Postcard> Postcards { get; }
}

public sealed partial class DiarySeedContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("seeded")]
    public partial Keyspace<Diary> Diaries { get; }

    protected override void OnModelCreating(ModelBuilder model) =>
        model.Entity<Diary>().HasData(new Diary { Id = 3, WrittenAt = DateTime.SpecifyKind(DateTime.UnixEpoch, DateTimeKind.Local) });
}

/// <summary>Tests of values that cannot be stored, such as a local time, on every path to the store.</summary>
public class UnstorableValueTests : LendingStore
{
    static readonly DateTime Local = DateTime.SpecifyKind(DateTime.UnixEpoch, DateTimeKind.Local);

    public static TheoryData<string> Ways { get; } = ["add", "put", "change", "update", "remove", "attach", "unchanged", "accept", "execute"];

    [Theory, MemberData(nameof(Ways))]
    public async Task Unstorable_value_is_refused_with_its_entity_key_and_property_on_every_path(string way)
    {
        await using var node = await StartAsync();
        await using (var other = new DiaryContext(node))
        {
            other.Add(new Diary { Id = 7 });
            await other.SaveChangesAsync(Consistency.None, Token);
        }
        await using var db = new DiaryContext(node) { DefaultConsistency = Consistency.None };
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => UseAsync(db, way));
        var error = Assert.Single(exception.Errors);
        Assert.Equal(("Diary", (DocumentKey)7, "WrittenAt"), (error.Entity, error.Key, error.Property));
        Assert.Contains("WrittenAt of the Diary 7 cannot be stored: A DateTime of kind Local", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unstorable_value_in_seed_data_is_refused_with_its_entity_key_and_property()
    {
        await using var node = await StartAsync();
        await using var db = new DiarySeedContext(node);
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.Diaries.CountAsync(Token));
        Assert.Contains("WrittenAt of the Diary 3 cannot be stored", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unstorable_initializer_of_an_indexed_property_is_named()
    {
        await using var node = await StartAsync();
        await using var db = new PostcardContext(node);
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Postcards.CountAsync(Token));
        Assert.Contains("The property SentAt of a new Postcard cannot be stored", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Give it another initializer.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_that_cannot_be_stored_is_named()
    {
        await using var node = await StartAsync();
        await using var db = new DiaryContext(node);
        var exception = Assert.Throws<ArgumentException>(() => db.Add(new Appointment { At = Local }));
        Assert.Contains("The key of the Appointment (At) cannot be stored", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Conditions_and_lookups_with_a_local_time_match_by_ticks()
    {
        await using var node = await StartAsync();
        await using var db = new DiaryContext(node) { DefaultConsistency = Consistency.None };
        db.AddRange(new Diary { Id = 1, WrittenAt = DateTime.UnixEpoch }, new Appointment { At = DateTime.UnixEpoch });
        await db.SaveChangesAsync(Token);
        Assert.Equal(1, await db.Diaries.CountAsync(d => d.WrittenAt == Local, Token));
        Assert.Equal(1, await db.Appointments.CountAsync(a => a.At == Local, Token));
        Assert.NotNull(await db.Appointments.FindAsync([Local], Token));
    }

    [Fact]
    public async Task DetectChanges_marks_an_entity_with_an_unstorable_value_as_modified()
    {
        await using var node = await StartAsync();
        await using var db = new DiaryContext(node) { DefaultConsistency = Consistency.None };
        var diary = new Diary { Id = 1, WrittenAt = DateTime.UnixEpoch };
        db.Add(diary);
        await db.SaveChangesAsync(Token);
        diary.WrittenAt = Local.AddDays(1);
        Assert.Equal(EntityState.Modified, db.Entry(diary).State);
        Assert.Equal(["WrittenAt"], db.Entry(diary).Properties.Where(property => property.IsModified).Select(property => property.Metadata.Name));
        Assert.True(db.ChangeTracker.HasChanges());
        diary.WrittenAt = DateTime.UnixEpoch;
        Assert.Equal(EntityState.Unchanged, db.Entry(diary).State);
    }

    static async Task UseAsync(DiaryContext db, string way)
    {
        var diary = new Diary { Id = 7, WrittenAt = Local };
        switch (way)
        {
            case "add":
                db.Add(diary);
                break;
            case "put":
                db.Diaries.Put(diary);
                break;
            case "change":
                (await db.Diaries.FindAsync([7L], Token))!.WrittenAt = Local;
                break;
            case "update":
                db.Update(diary);
                break;
            case "remove":
                db.Remove(diary);
                break;
            case "attach":
                db.Attach(diary);
                break;
            case "unchanged":
                db.Entry(diary).State = EntityState.Unchanged;
                break;
            case "accept":
                db.Add(diary);
                db.ChangeTracker.AcceptAllChanges();
                break;
            default:
                await db.Diaries.ExecuteUpdateAsync(s => s.SetProperty(d => d.WrittenAt, Local), Token);
                break;
        }
        await db.SaveChangesAsync(Token);
    }
}
