using System.Globalization;
using System.Net;

namespace Datacake.Shop.Tests;

/// <summary>Requests through the proxy, without a browser.</summary>
public class RequestTests(RunningShop shop) : IClassFixture<RunningShop>
{
    static readonly string[] Nodes = ["1", "2", "3"];

    [Fact]
    public async Task Requests_reach_the_nodes_in_turn()
    {
        using var visitor = await Visitor.ComeAsync(shop);
        var answers = new List<Answer>();
        for (int i = 0; i < 6; i++)
            answers.Add(await visitor.GetAsync("/cart"));

        Assert.All(Nodes, node => Assert.Equal(2, answers.Count(answer => answer.Node == node)));
    }

    [Fact]
    public async Task Form_of_one_node_is_accepted_by_all_and_a_forged_one_by_none()
    {
        using var visitor = await Visitor.ComeAsync(shop);
        using var forger = await Visitor.ComeAsync(shop);
        forger.ForgetToken();
        var accepted = new List<Answer>();
        var refused = new List<Answer>();
        foreach (string _ in Nodes)
            accepted.Add(await visitor.BuyAsync(1));
        foreach (string _ in Nodes)
            refused.Add(await forger.BuyAsync(1));

        Assert.All(accepted, static answer => Assert.Equal(HttpStatusCode.Found, answer.Status));
        Assert.All(refused, static answer => Assert.Equal(HttpStatusCode.BadRequest, answer.Status));
        Assert.Equal(Nodes, accepted.Select(static answer => answer.Node).Order());
        Assert.Equal(Nodes, refused.Select(static answer => answer.Node).Order());
    }

    [Fact]
    public async Task Visitor_sees_its_own_saves_on_whatever_node()
    {
        using var visitor = await Visitor.ComeAsync(shop);
        for (int count = 1; count <= 18; count++)
        {
            var bought = await visitor.BuyAsync(2);
            var cart = await visitor.GetAsync("/cart");
            Assert.Equal($"{count} × Battenberg", cart.Text);
            Assert.NotEqual(bought.Node, cart.Node);
        }
    }

    [Fact]
    public async Task Prices_of_one_node_are_served_by_all_until_one_is_changed()
    {
        using var visitor = await Visitor.ComeAsync(shop);
        using var other = await Visitor.ComeAsync(shop);
        string before = await SharedPricesAsync(other);

        await visitor.ChangePriceAsync(1, "7.25");

        await Eventually.WaitUntilAsync(async () => (await other.GetAsync("/prices")).Text.Contains("7.25", StringComparison.Ordinal), "other visitors see the new price");
        string after = await SharedPricesAsync(other);
        Assert.DoesNotContain("7.25", before, StringComparison.Ordinal);
        Assert.Contains("7.25", after, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Visitor_that_has_changed_a_price_never_sees_the_old_one()
    {
        using var visitor = await Visitor.ComeAsync(shop);
        using var other = await Visitor.ComeAsync(shop);
        for (int cents = 10; cents < 30; cents++)
        {
            string price = (2 + (cents / 100m)).ToString(CultureInfo.InvariantCulture);
            await SharedPricesAsync(other);
            var changed = await visitor.ChangePriceAsync(3, price);
            var seen = await visitor.GetAsync("/prices");
            Assert.Equal(HttpStatusCode.Found, changed.Status);
            Assert.Contains(price, seen.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Cakes_are_sold_on_all_nodes_until_none_is_left()
    {
        using var visitor = await Visitor.ComeAsync(shop);
        var answers = new List<Answer>();
        for (int i = 0; i < 24; i++)
            answers.Add(await visitor.BuyAsync(3));

        Assert.Equal(20, answers.Count(static answer => answer.Status == HttpStatusCode.Found));
        Assert.All(answers.Skip(20), static answer => Assert.Equal(HttpStatusCode.Conflict, answer.Status));
        Assert.Equal("20 × Black Forest cake", (await visitor.GetAsync("/cart")).Text);
    }

    /// <summary>Waits until all nodes serve the same prices, and returns them.</summary>
    static async Task<string> SharedPricesAsync(Visitor visitor)
    {
        Answer[] answers = [];
        await Eventually.WaitUntilAsync(
            async () =>
            {
                answers = [await visitor.GetAsync("/prices"), await visitor.GetAsync("/prices"), await visitor.GetAsync("/prices")];
                return answers.Select(static answer => answer.Text).Distinct().Count() == 1 && answers.Select(static answer => answer.Node).Distinct().Count() == 3;
            },
            "all nodes serve the same prices");
        return answers[0].Text;
    }
}
