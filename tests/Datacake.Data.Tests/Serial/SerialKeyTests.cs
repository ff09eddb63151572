using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;

namespace Datacake.Data.Tests.Serial;

/// <summary>Keys that the sequencer numbers.</summary>
public class SerialKeyTests
{
    [Fact]
    public async Task New_entities_get_their_keys_when_they_are_saved_in_the_order_in_which_they_were_added()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using (var db = new PurchaseContext(node))
        {
            Purchase[] purchases = [new() { Customer = "Ada" }, new() { Customer = "Bob" }, new() { Customer = "Eve" }];
            db.AddRange(purchases);
            Assert.All(purchases, purchase =>
            {
                Assert.Equal(0, purchase.Id);
                Assert.Equal(EntityState.Added, db.Entry(purchase).State);
                Assert.True(db.Entry(purchase).Property(each => each.Id).IsTemporary);
                Assert.False(db.Entry(purchase).Property(each => each.Customer).IsTemporary);
            });
            Assert.Null(await db.Purchases.FindAsync([0], Token));
            Assert.Equal(3, await db.SaveChangesAsync(Token));
            Assert.Equal([1, 2, 3], purchases.Select(static purchase => purchase.Id));
            Assert.All(purchases, purchase =>
            {
                Assert.Equal(EntityState.Unchanged, db.Entry(purchase).State);
                Assert.Equal((DocumentKey)purchase.Id, db.Entry(purchase).Key);
                Assert.False(db.Entry(purchase).Property(each => each.Id).IsTemporary);
            });
            Assert.Same(purchases[1], await db.Purchases.FindAsync([2], Token));
            Assert.Same(purchases[2], await db.Purchases.SingleAsync(purchase => purchase.Id == 3, Token));
            // The next save compares the entity with what was stored.
            Assert.False(db.ChangeTracker.HasChanges());
            purchases[0].Customer = "Ada Lovelace";
            Assert.Equal(1, await db.SaveChangesAsync(Token));
        }
        await cluster.StopAsync(1);
        node = await cluster.StartAsync(1);
        await using (var db = new PurchaseContext(node))
        {
            Assert.Equal("Ada Lovelace", (await db.Purchases.FindAsync([1], Token))!.Customer);
            var next = new Purchase();
            db.Add(next);
            await db.SaveChangesAsync(Token);
            Assert.Equal(4, next.Id);
            Assert.Equal([1, 2, 3, 4], await db.Purchases.OrderBy(purchase => purchase.Id).Select(purchase => purchase.Id).ToListAsync(Token));
        }
    }

    [Fact]
    public async Task Keys_of_two_nodes_that_add_at_the_same_time_have_no_gaps_and_are_found_on_both()
    {
        const int PerNode = 8;
        await using var cluster = await SerialClusterTests.StartAsync(2);
        var keys = await Task.WhenAll(Enumerable.Range(1, 2).Select(node => Task.Run(async () =>
        {
            var own = new List<int>();
            await using var db = new PurchaseContext(cluster[node]);
            for (int i = 0; i < PerNode; i++)
            {
                var purchase = new Purchase { Customer = $"{node}", Lines = [new PurchaseLine { Product = "tea" }, new PurchaseLine { Product = "milk" }] };
                db.Add(purchase);
                await db.SaveChangesAsync(Token);
                own.Add(purchase.Id);
            }
            return own;
        }, Token)));
        Assert.Equal(Enumerable.Range(1, 2 * PerNode), keys.SelectMany(static own => own).Order());
        for (int node = 1; node <= 2; node++)
        {
            await using var db = new PurchaseContext(cluster[node]);
            var all = await db.Purchases.WithConsistency(Consistency.Serial).Include(purchase => purchase.Lines).OrderBy(purchase => purchase.Id).ToListAsync(Token);
            Assert.Equal(Enumerable.Range(1, 2 * PerNode), all.Select(static purchase => purchase.Id));
            Assert.All(all, static purchase => Assert.Equal(["milk", "tea"], purchase.Lines.Select(static line => line.Product).Order()));
            Assert.Equal(Enumerable.Range(1, 4 * PerNode).Select(static number => (long)number), all.SelectMany(static purchase => purchase.Lines).Select(static line => line.Id).Order());
            Assert.All(keys[0], key => Assert.Equal("1", all[key - 1].Customer));
        }
    }

    [Fact]
    public async Task Foreign_keys_of_dependents_get_the_number_in_the_same_save()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using var db = new PurchaseContext(node);
        var first = new Purchase
        {
            Lines = [new PurchaseLine { Product = "tea" }, new PurchaseLine { Product = "milk" }],
            Remarks = [new PurchaseRemark { Text = "soon" }],
            Parts = [new PurchasePart { Position = 1, Text = "a" }, new PurchasePart { Position = 2, Text = "b" }],
        };
        // The same products and positions, which only the keys of the purchases distinguish.
        var second = new Purchase
        {
            Previous = first,
            Lines = [new PurchaseLine { Product = "tea" }],
            Parts = [new PurchasePart { Position = 1, Text = "c" }],
        };
        db.Add(second);
        var line = new PurchaseLine { Product = "jam", Purchase = second };
        var receipt = new PurchaseReceipt { Purchase = second, Text = "paid" };
        db.AddRange(line, receipt);
        Assert.True(db.Entry(line).Property(each => each.PurchaseId).IsTemporary);
        Assert.True(db.Entry(receipt).Property(each => each.PurchaseId).IsTemporary);
        await db.SaveChangesAsync(Token);

        Assert.Equal([1, 2], new[] { first.Id, second.Id }.Order());
        Assert.Equal(first.Id, second.PreviousId);
        Assert.All(first.Lines, each => Assert.Equal(first.Id, each.PurchaseId));
        Assert.Equal((second.Id, second.Id), (line.PurchaseId, receipt.PurchaseId));
        Assert.Equal([1L, 2, 3, 4], first.Lines.Concat(second.Lines).Select(static each => each.Id).Order());
        Assert.False(db.ChangeTracker.HasChanges());
        Assert.Same(receipt, await db.Receipts.FindAsync([second.Id], Token));
        Assert.Same(first.Parts[1], await db.Parts.FindAsync([first.Id, 2], Token));

        await using var shown = new PurchaseContext(node);
        var all = await shown.Purchases.Include(purchase => purchase.Lines).Include(purchase => purchase.Remarks).Include(purchase => purchase.Parts).ToListAsync(Token);
        var (storedFirst, storedSecond) = (all.Single(purchase => purchase.Id == first.Id), all.Single(purchase => purchase.Id == second.Id));
        Assert.Equal(["milk", "tea"], storedFirst.Lines.Select(static each => each.Product).Order());
        Assert.Equal(["jam", "tea"], storedSecond.Lines.Select(static each => each.Product).Order());
        Assert.Equal(["soon"], storedFirst.Remarks.Select(static remark => remark.Text));
        Assert.Equal(["a", "b"], storedFirst.Parts.OrderBy(static part => part.Position).Select(static part => part.Text));
        Assert.Equal(["c"], storedSecond.Parts.Select(static part => part.Text));
        Assert.Equal("paid", (await shown.Receipts.FindAsync([second.Id], Token))!.Text);
        Assert.Equal("soon", await shown.Remarks.Where(remark => remark.PurchaseId == first.Id).Select(remark => remark.Text).SingleAsync(Token));
        // What was stored is what the context knows: a change of the dependents is compared with it.
        first.Remarks[0].Text = "now";
        first.Parts[0].Text = "A";
        first.Lines[0].Product = "coffee";
        Assert.Equal(3, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Stored_dependents_that_move_to_a_new_principal_get_its_number()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using var db = new PurchaseContext(node);
        var remark = new PurchaseRemark { Text = "moves", PurchaseId = 0 };
        var old = new Purchase { Lines = [new PurchaseLine { Product = "tea" }] };
        db.AddRange(old, remark);
        await db.SaveChangesAsync(Token);
        var line = old.Lines[0];
        var replacing = new Purchase { Lines = [line], Remarks = [remark] };
        old.Lines.Clear();
        db.Add(replacing);
        db.ChangeTracker.DetectChanges();
        Assert.Equal(EntityState.Modified, db.Entry(line).State);
        await db.SaveChangesAsync(Token);
        Assert.Equal((2, 2, 2), (replacing.Id, line.PurchaseId, remark.PurchaseId));
        await using var shown = new PurchaseContext(node);
        Assert.Equal(2, await shown.Lines.Select(each => each.PurchaseId).SingleAsync(Token));
        Assert.Equal(2, await shown.Remarks.Select(each => each.PurchaseId).SingleAsync(Token));
    }

    [Fact]
    public async Task Dependents_that_move_between_new_principals_get_the_number_of_the_last_one()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using var db = new PurchaseContext(node);
        var (first, second) = (new Purchase { Customer = "first" }, new Purchase { Customer = "second" });
        PurchaseLine[] lines = [new() { Product = "a" }, new() { Product = "b" }, new() { Product = "c" }];
        first.Lines.AddRange(lines);
        db.AddRange(first, second);
        db.ChangeTracker.DetectChanges();
        // By the collections, by the reference, and not at all.
        first.Lines.Remove(lines[0]);
        second.Lines.Add(lines[0]);
        lines[1].Purchase = second;
        db.ChangeTracker.DetectChanges();
        Assert.Equal([lines[2]], first.Lines);
        Assert.Equal(3, db.ChangeTracker.Entries<PurchaseLine>().Count);
        await db.SaveChangesAsync(Token);
        Assert.Equal([second.Id, second.Id, first.Id], lines.Select(static line => line.PurchaseId));
        Assert.NotEqual(first.Id, second.Id);
    }

    [Fact]
    public async Task Loading_the_navigations_of_a_new_entity_keeps_them()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using var db = new PurchaseContext(node);
        var purchase = new Purchase { Lines = [new PurchaseLine { Product = "tea" }] };
        db.Add(purchase);
        db.ChangeTracker.DetectChanges();
        await db.Entry(purchase).Collection(each => each.Lines).LoadAsync(Token);
        await db.Entry(purchase.Lines[0]).Reference(each => each.Purchase).LoadAsync(Token);
        Assert.Same(purchase, Assert.Single(purchase.Lines).Purchase);
        await db.SaveChangesAsync(Token);
        Assert.Equal(1, purchase.Lines[0].PurchaseId);
    }

    [Fact]
    public async Task Save_that_is_refused_takes_no_number_and_can_be_repeated()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using var db = new PurchaseContext(node);
        var purchase = new Purchase { Lines = [new PurchaseLine { Product = "tea" }, new PurchaseLine { Product = "tea" }], Parts = [new PurchasePart { Position = 1 }] };
        db.Add(purchase);
        var error = await Assert.ThrowsAsync<UniqueConstraintException>(() => db.SaveChangesAsync(Token));
        Assert.Contains(error.Entry.Entity, purchase.Lines);
        Assert.Equal((0, 0L), (purchase.Id, purchase.Lines[0].Id));
        Assert.All(purchase.Lines, static line => Assert.Equal(0, line.PurchaseId));
        Assert.Equal(EntityState.Added, db.Entry(purchase).State);
        purchase.Lines[1].Product = "milk";
        await db.SaveChangesAsync(Token);
        Assert.Equal(1, purchase.Id);
        Assert.Equal([1L, 2], purchase.Lines.Select(static line => line.Id).Order());
        Assert.Equal(1, await db.Parts.Select(part => part.PurchaseId).SingleAsync(Token));
    }

    [Fact]
    public async Task Two_new_dependents_with_the_same_key_are_refused_when_they_are_added()
    {
        await using var cluster = new LocalCluster();
        await using var db = new PurchaseContext(await cluster.StartAsync(1));
        var purchase = new Purchase { Parts = [new PurchasePart { Position = 1 }, new PurchasePart { Position = 1 }] };
        var error = Assert.Throws<InvalidOperationException>(() => db.Add(purchase));
        Assert.Contains("already tracks another instance of the PurchasePart", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_that_were_set_are_kept_and_the_numbers_continue_without_a_clash()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using var db = new PurchaseContext(node);
        Assert.Equal(1, await AddAsync(0));
        Assert.Equal(3, await AddAsync(3));
        Assert.Equal(10, await AddAsync(10));
        // The numbers reach 3, which is stored, and continue after the largest key.
        Assert.Equal(2, await AddAsync(0));
        Assert.Equal(11, await AddAsync(0));
        Assert.Equal(12, await AddAsync(0));
        var same = new Purchase { Id = 2 };
        await using var other = new PurchaseContext(node);
        other.Add(same);
        await Assert.ThrowsAsync<EntityConflictException>(() => other.SaveChangesAsync(Token));
        // In the same save, too.
        other.ChangeTracker.Clear();
        Purchase[] together = [new(), new() { Id = 13 }];
        other.AddRange(together);
        await other.SaveChangesAsync(Token);
        Assert.Equal((14, 13), (together[0].Id, together[1].Id));

        async Task<int> AddAsync(int key)
        {
            var purchase = new Purchase { Id = key };
            db.Add(purchase);
            await db.SaveChangesAsync(Token);
            return purchase.Id;
        }
    }

    [Fact]
    public async Task Key_that_is_set_after_the_entity_was_added_is_kept()
    {
        await using var cluster = new LocalCluster();
        await using var db = new PurchaseContext(await cluster.StartAsync(1));
        var purchase = new Purchase { Lines = [new PurchaseLine { Product = "tea" }], Parts = [new PurchasePart { Position = 1 }] };
        db.Add(purchase);
        purchase.Id = 70;
        db.ChangeTracker.DetectChanges();
        Assert.Equal((DocumentKey)70, db.Entry(purchase).Key);
        Assert.Equal((70, 70), (purchase.Lines[0].PurchaseId, purchase.Parts[0].PurchaseId));
        // And back.
        purchase.Id = 0;
        await db.SaveChangesAsync(Token);
        Assert.Equal((1, 1, 1), (purchase.Id, purchase.Lines[0].PurchaseId, purchase.Parts[0].PurchaseId));
        Assert.NotNull(await db.Parts.AsNoTracking().SingleAsync(part => part.PurchaseId == 1, Token));
    }

    [Fact]
    public async Task Number_of_a_key_that_the_context_still_tracks_replaces_the_deleted_entity()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using var db = new PurchaseContext(node);
        var outdated = new Purchase { Id = 1 };
        db.Add(outdated);
        await db.SaveChangesAsync(Token);
        await using (var other = new PurchaseContext(node))
        {
            other.Remove((await other.Purchases.FindAsync([1], Token))!);
            await other.SaveChangesAsync(Token);
        }
        var purchase = new Purchase { Customer = "new" };
        db.Add(purchase);
        await db.SaveChangesAsync(Token);
        Assert.Equal(1, purchase.Id);
        Assert.Same(purchase, await db.Purchases.FindAsync([1], Token));
        Assert.Equal((EntityState.Detached, EntityState.Unchanged), (db.Entry(outdated).State, db.Entry(purchase).State));
    }

    [Fact]
    public async Task Foreign_key_of_0_is_refused_if_there_is_no_new_principal()
    {
        await using var cluster = new LocalCluster();
        await using var db = new PurchaseContext(await cluster.StartAsync(1));
        db.Add(new Purchase());
        db.Add(new PurchaseLine { Product = "lost" });
        var error = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Contains("refers to no Purchase. Set Purchase or PurchaseId", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, await db.Purchases.CountAsync(Token));
    }

    [Fact]
    public async Task New_entity_without_a_key_cannot_be_taken_for_a_stored_one()
    {
        await using var cluster = new LocalCluster();
        await using var db = new PurchaseContext(await cluster.StartAsync(1));
        var purchase = new Purchase();
        db.Add(purchase);
        var error = Assert.Throws<InvalidOperationException>(() => db.Entry(purchase).State = EntityState.Unchanged);
        Assert.Equal(
            "A new Purchase cannot become Unchanged, because its Id is 0 and gets the next number when it is saved. Save it first, or set Id if the entity is stored.", error.Message);
        Assert.Throws<InvalidOperationException>(db.ChangeTracker.AcceptAllChanges);
        Assert.Equal(EntityState.Added, db.Entry(purchase).State);
        // Removing it undoes the Add.
        db.Remove(purchase);
        Assert.Equal(EntityState.Detached, db.Entry(purchase).State);
        db.Add(purchase);
        await db.SaveChangesAsync(Token);
        Assert.Equal(1, purchase.Id);
    }

    [Fact]
    public async Task Attached_graph_adds_the_entities_without_a_key()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using (var first = new PurchaseContext(node))
        {
            first.Add(new Purchase { Customer = "stored" });
            await first.SaveChangesAsync(Token);
        }
        await using var db = new PurchaseContext(node);
        var line = new PurchaseLine { Product = "new" };
        db.Attach(new Purchase { Id = 1, Customer = "stored", Lines = [line] });
        Assert.Equal(EntityState.Added, db.Entry(line).State);
        await db.SaveChangesAsync(Token);
        Assert.Equal((1L, 1), (line.Id, line.PurchaseId));
    }

    [Fact]
    public async Task Serial_work_adds_the_next_number_and_conflicts_with_one_that_has_read_the_range()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using var db = new PurchaseContext(node);
        await using var other = new PurchaseContext(node);
        await using (var work = await db.BeginSerialAsync(Token))
        {
            Assert.Equal(0, await db.Purchases.CountAsync(Token));
            other.Add(new Purchase { Customer = "other" });
            await other.SaveChangesAsync(Token);
            db.Add(new Purchase { Customer = "work" });
            await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
            db.ChangeTracker.Clear();
        }
        int key = await db.RunSerialAsync(async () =>
        {
            var purchase = new Purchase { Customer = $"after {await db.Purchases.CountAsync(Token)}" };
            db.Add(purchase);
            await db.SaveChangesAsync(Token);
            return purchase.Id;
        }, Token);
        Assert.Equal(2, key);
        Assert.Equal("after 1", (await other.Purchases.FindAsync([2], Token))!.Customer);
    }

    [Fact]
    public async Task Put_and_a_state_of_added_number_the_key()
    {
        await using var cluster = new LocalCluster();
        await using var db = new PurchaseContext(await cluster.StartAsync(1));
        var (put, set) = (new Purchase(), new Purchase());
        db.Purchases.Put(put);
        db.Entry(set).State = EntityState.Added;
        await db.SaveChangesAsync(Token);
        Assert.Equal((1, 2), (put.Id, set.Id));
    }

    [Fact]
    public async Task Keys_that_cannot_be_numbered_are_refused_with_the_remedy()
    {
        await using var cluster = new LocalCluster();
        await using var db = new PurchaseKindContext(await cluster.StartAsync(1));
        var merging = Assert.Throws<InvalidOperationException>(() => db.Add(new PurchaseKind()));
        Assert.Contains("change its type to long or Guid. In a serial class ([Serial] or IsSerial()), it gets the next number when the entity is saved. If 0 is", merging.Message, StringComparison.Ordinal);
        var small = Assert.Throws<InvalidOperationException>(() => db.Add(new PurchaseShelf()));
        Assert.Contains("change its type to int or long, which get the next number when the entity is saved", small.Message, StringComparison.Ordinal);
        var slot = new PurchaseSlot();
        db.Add(slot);
        Assert.False(db.Entry(slot).Property(each => each.Id).IsTemporary);
        await db.SaveChangesAsync(Token);
        Assert.Equal(0, await db.Slots.Select(each => each.Id).SingleAsync(Token));
    }

    [Fact]
    public async Task Number_for_a_foreign_key_with_a_converter_is_refused_before_anything_is_saved()
    {
        await using var cluster = new LocalCluster();
        await using var db = new PurchaseTagContext(await cluster.StartAsync(1));
        var (purchase, tag) = (new Purchase(), new PurchaseTag());
        tag.Purchase = purchase;
        db.Add(tag);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(
            "The PurchaseTag refers by PurchaseId to a new Purchase, whose Id is a number that the save assigns, but PurchaseId has a converter. Remove the converter, or save the Purchase first. Nothing was saved.",
            error.Message);
        db.ChangeTracker.Clear();
        db.Add(purchase);
        await db.SaveChangesAsync(Token);
        db.Add(tag);
        await db.SaveChangesAsync(Token);
        Assert.Equal((1, 1), (purchase.Id, tag.PurchaseId));
    }

    [Fact]
    public async Task New_entity_that_is_too_large_is_named_among_those_without_a_key()
    {
        await using var cluster = new LocalCluster();
        await using var db = new PurchaseContext(await cluster.StartAsync(1));
        var large = new Purchase { Customer = new string('x', 9 << 20) };
        db.AddRange(new Purchase { Customer = "small" }, large);
        var error = await Assert.ThrowsAsync<SaveLimitException>(() => db.SaveChangesAsync(Token));
        Assert.Same(large, error.Entry!.Entity);
        large.Customer = "";
        await db.SaveChangesAsync(Token);
        Assert.Equal(2, large.Id);
    }

    [Fact]
    public async Task Save_whose_outcome_was_unknown_gets_its_numbers_when_it_is_resolved()
    {
        await using var cluster = new LocalCluster();
        var transport = new SeverableTransport();
        await cluster.StartAsync(1);
        await cluster.StartAsync(2, options => options.WithTransport(transport).WithStore(store => store.AcknowledgmentTimeout = TimeSpan.FromSeconds(1)));
        var own = await cluster[2].OpenStoreAsync(Token);
        await Eventually.WaitUntilAsync(() => own.SerialStatus is { Sequencer: 1, VoterCount: 2 }, "node 1 is the sequencer");
        await using var db = new PurchaseContext(cluster[2]);
        await Eventually.WaitUntilAsync(() => SucceedsAsync(() => db.Purchases.WithConsistency(Consistency.Serial).CountAsync(Token)), "node 2 reads serially");
        var purchase = new Purchase { Lines = [new PurchaseLine { Product = "tea" }], Remarks = [new PurchaseRemark { Text = "soon" }], Parts = [new PurchasePart { Position = 4 }] };
        db.Add(purchase);
        transport.Pause();
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => db.SaveChangesAsync(Token));
        Assert.Equal((0, EntityState.Added), (purchase.Id, db.Entry(purchase).State));
        transport.Resume();
        await Eventually.WaitUntilAsync(() => SucceedsAsync(() => db.ResolveSaveAsync(Token)), "the outcome is known");
        Assert.Equal((1, 1L, 1), (purchase.Id, purchase.Lines[0].Id, purchase.Lines[0].PurchaseId));
        Assert.Equal((1, 1), (purchase.Remarks[0].PurchaseId, purchase.Parts[0].PurchaseId));
        Assert.False(db.ChangeTracker.HasChanges());
        Assert.Same(purchase, await db.Purchases.FindAsync([1], Token));
        await using var other = new PurchaseContext(cluster[1]);
        var next = new Purchase();
        other.Add(next);
        await other.SaveChangesAsync(Token);
        Assert.Equal(2, next.Id);
        Assert.Equal([4], await other.Parts.Where(part => part.PurchaseId == 1).Select(part => part.Position).ToListAsync(Token));

        static async Task<bool> SucceedsAsync<T>(Func<Task<T>> work)
        {
            try
            {
                await work();
                return true;
            }
            catch (Exception e) when (e is OutcomeUnknownException or NotEnoughNodesException or TimeoutException)
            {
                return false;
            }
        }
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
