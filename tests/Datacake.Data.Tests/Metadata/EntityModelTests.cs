using CsCheck;
using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Generated;
using Datacake.Data.Metadata;
using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;

namespace Datacake.Data.Tests.Metadata;

public class EntityModelTests
{
    static readonly Datacake_Data_Tests_Shop_EverythingModel Model = Datacake_Data_Tests_Shop_EverythingModel.Instance;
    static readonly Datacake_Data_Tests_Shop_ProductModel ProductModel = Datacake_Data_Tests_Shop_ProductModel.Instance;

    [Fact]
    public void Entity_with_a_property_of_every_type_round_trips() => Gens.Everything.Sample(
        entity =>
        {
            var read = (Everything)Model.ReadEntity(Model.KeyOf(entity), Stored(Model, entity));
            Assert.Equivalent(entity, read, strict: true);
        }, iter: 300);

    [Fact]
    public void Entity_that_is_read_and_encoded_again_has_no_changes() => Gens.Everything.Sample(
        entity =>
        {
            var content = Model.Encode(entity, new CellWriter());
            var again = Model.Encode(Model.ReadEntity(Model.KeyOf(entity), content), new CellWriter());
            Assert.True(again.ChangesFrom(content).IsEmpty);
        }, iter: 300);

    [Fact]
    public void Changes_between_two_entities_turn_one_into_the_other() => Gen.Select(Gens.Everything, Gens.Everything).Sample(
        (before, after) =>
        {
            after.Id = before.Id;
            var replica = new TestReplica(1);
            var transaction = new Transaction();
            var original = Model.Encode(before, new CellWriter());
            var changes = Model.Encode(after, new CellWriter()).ChangesFrom(original);
            transaction.Put("x", Model.KeyOf(before), original.Cells, original.Counters);
            transaction.Update("x", Model.KeyOf(before), changes.Cells, changes.Counters);
            replica.Apply(transaction.Operations[0], 1);
            replica.Apply(transaction.Operations[1], 2);
            Assert.Equivalent(after, Model.ReadEntity(Model.KeyOf(after), replica.Document), strict: true);
        }, iter: 300);

    [Fact]
    public void Null_differs_from_an_empty_collection_or_object()
    {
        var empty = new Everything { DecimalSet = new HashSet<decimal>(), Notes = new Dictionary<Status, List<string>>(), Owned = new Owned(), Array = [] };
        var read = (Everything)Model.ReadEntity(Model.KeyOf(empty), Stored(Model, empty));
        Assert.Empty(read.DecimalSet!);
        Assert.Empty(read.Notes!);
        Assert.Empty(read.Array!);
        Assert.NotNull(read.Owned);

        read = (Everything)Model.ReadEntity(Model.KeyOf(empty), Stored(Model, new Everything()));
        Assert.Null(read.DecimalSet);
        Assert.Null(read.Notes);
        Assert.Null(read.Array);
        Assert.Null(read.Owned);
    }

    [Fact]
    public void Properties_missing_from_the_store_keep_the_defaults_of_the_class()
    {
        var read = (Article)Datacake_Data_Tests_Shop_ArticleModel.Instance.ReadEntity(
            "a", Document.Put(new HlcTimestamp(1), DocumentContent.Empty));
        Assert.Equal("a", read.Id);
        Assert.Equal(3, read.Likes);
        Assert.Equal(9.5m, read.Price);
    }

    [Fact]
    public void Required_init_and_private_members_and_composite_keys_are_read_back()
    {
        var model = Datacake_Data_Tests_Shop_OrderLineModel.Instance;
        var line = new OrderLine { Order = "A-1", Line = 3, Text = "cake" };
        line.Number(7);
        var read = (OrderLine)model.ReadEntity(model.KeyOf(line), Stored(model, line));
        Assert.Equivalent(line, read, strict: true);
        Assert.Equal("('A-1', 3)", model.KeyOf(line).ToString());
        Assert.Equal(["Order", "Line"], model.Key.Select(property => property.Name));
        Assert.Equal(MergePolicy.DeleteWins, model.Policy);
    }

    [Fact]
    public void A_counter_that_was_a_plain_property_keeps_its_value()
    {
        var before = new DocumentContentBuilder();
        before.Set(DocumentPath.OfProperty("Stock").Encoded.Span, [7]);
        var document = Document.Put(new HlcTimestamp(1 << 8), before.Build());
        var share = new DocumentContentBuilder();
        Span<byte> value = stackalloc byte[CounterValue.Size];
        CounterValue.Write(value, 5);
        share.Set(DocumentPath.OfCounterShare("Stock", document.Born, new HlcTimestamp(1 << 8)).Encoded.Span, value);
        document = Document.Merge(document, Document.Update(new HlcTimestamp(2 << 8), share.Build()));
        Assert.Equal(12, ((Product)ProductModel.ReadEntity(1L, document)).Stock);
    }

    [Fact]
    public void Stored_property_of_a_different_type_is_named()
    {
        var content = new DocumentContentBuilder();
        content.Set(DocumentPath.OfProperty("Price").Encoded.Span, [0xA1, (byte)'x']);
        var document = Document.Put(new HlcTimestamp(1), content.Build());
        var exception = Assert.Throws<UnreadableEntityException>(() => ProductModel.ReadEntity(7L, document));
        Assert.Contains("Product 7", exception.Message, StringComparison.Ordinal);
        Assert.Contains("property Price", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_property_that_cannot_be_stored_is_named()
    {
        var exception = Assert.Throws<EntityValidationException>(() => ProductModel.Encode(new Product { Id = 7, Name = "\uD800" }, new CellWriter()));
        Assert.Contains("Name of the Product 7 cannot be stored", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_with_parts_of_the_wrong_type_or_number_are_refused_and_null_is_no_key()
    {
        Assert.Equal(DocumentKey.Of(7), ProductModel.FindKey([7]));
        Assert.Throws<ArgumentException>(() => ProductModel.FindKey(["7"]));
        Assert.Null(ProductModel.FindKey([null]));
        Assert.Throws<ArgumentException>(() => ProductModel.FindKey([1L, 2L]));
    }

    [Fact]
    public void Index_values_match_the_properties_of_the_entity() => Gens.Everything.Sample(
        entity =>
        {
            var document = Stored(Model, entity);
            foreach (var (index, declared) in Model.Indexes.Zip(IndexExtraction.IndexesOf(Model)))
            {
                var found = new IndexValues();
                declared.Extract(document, found);
                Assert.Equal(Expected(index, entity), Found(found));
            }
        }, iter: 300);

    [Fact]
    public void Index_of_a_document_without_the_property_has_the_default_of_the_class()
    {
        var empty = Document.Put(new HlcTimestamp(1), DocumentContent.Empty);
        foreach (var (index, declared) in Model.Indexes.Zip(IndexExtraction.IndexesOf(Model)))
        {
            var found = new IndexValues();
            declared.Extract(empty, found);
            Assert.Equal(Expected(index, new Everything()), Found(found));
        }
    }

    [Fact]
    public void Index_places_an_unreadable_document_before_all_others()
    {
        var content = new DocumentContentBuilder();
        content.Set(DocumentPath.OfProperty("Category").Encoded.Span, [0x07]);
        var found = new IndexValues();
        IndexExtraction.IndexesOf(ProductModel).Single().Extract(Document.Put(new HlcTimestamp(1), content.Build()), found);
        Assert.Equal(["00"], Found(found));
    }


    static IEnumerable<string> Found(IndexValues values) =>
        values.Take().Select(Convert.ToHexString);

    static IEnumerable<string> Expected(IndexModel index, Everything entity)
    {
        var values = new List<byte[]>();
        var writer = new OrderedKeyWriter();
        if (index.Properties is ["Set"])
        {
            foreach (string element in entity.Set)
            {
                writer.Write(element);
                values.Add(writer.ToArray());
                writer.Truncate();
            }
        }
        else
        {
            foreach (var (name, isDescending) in index.Properties.Zip(index.Descending))
            {
                int start = writer.Length;
                var property = Model.FindProperty(name)!;
                Assert.True(property.OrderedCodec!.TryWriteOrdered(writer, property.GetValue(entity)));
                if (isDescending)
                    writer.Reverse(start);
            }
            values.Add(writer.ToArray());
        }
        return values.Select(value => Convert.ToHexString(value)).Order(StringComparer.Ordinal);
    }

    static Document Stored(EntityModel model, object entity)
    {
        var content = model.Encode(entity, new CellWriter());
        var transaction = new Transaction();
        transaction.Put("x", model.KeyOf(entity), content.Cells, content.Counters);
        var replica = new TestReplica(1);
        replica.Apply(transaction.Operations[0], 1);
        return Document.Parse(replica.Document.Encoded);
    }
}
