namespace Datacake.Data.Tests.Saving;

/// <summary>Tests of unset keys of types with a converter.</summary>
public class ConvertedKeyTests : LendingStore
{
    [Fact]
    public async Task Default_value_of_a_converted_struct_is_refused_as_an_unset_key()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        var error = Assert.Throws<InvalidOperationException>(() => db.Add(new Shelf()));
        Assert.Contains("The key property Id of the Shelf has the default value of its type", error.Message, StringComparison.Ordinal);
        Assert.Contains("ValueGeneratedOnAdd()", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => db.Shelves.Put(new Shelf()));
        Assert.Empty(db.ChangeTracker.Entries());
        db.Add(new Shelf { Id = new(7) });
        Assert.Equal(1, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Default_key_is_stored_if_the_model_allows_it_or_its_type_is_an_enum()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        db.AddRange(new Box { ShelfId = new(1) }, new Dictation());
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        Assert.Equal(default, (await NewContext(node).Boxes.SingleAsync(Token)).Id);
    }
}
