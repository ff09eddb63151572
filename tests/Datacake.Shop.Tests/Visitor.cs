using System.Net;
using System.Text.RegularExpressions;

namespace Datacake.Shop.Tests;

/// <summary>A visitor without a browser: it keeps its cookies, and the token of its page.</summary>
sealed partial class Visitor : IDisposable
{
    readonly HttpClient _http;
    string _token = "";

    Visitor(string address) => _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(address), Timeout = Eventually.Deadline };

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public static async Task<Visitor> ComeAsync(RunningShop shop)
    {
        var visitor = new Visitor(shop.Address);
        visitor._token = Token().Match((await visitor.GetAsync("/")).Text).Groups[1].Value;
        return visitor;
    }

    /// <summary>Returns the status and the text of a page, and the node that has sent it.</summary>
    public async Task<Answer> GetAsync(string path)
    {
        using var response = await _http.GetAsync(path, Canceled);
        return await AnswerAsync(response);
    }

    /// <summary>Sends a form, and returns the response, which is usually a redirection.</summary>
    public async Task<Answer> PostAsync(string path, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("__RequestVerificationToken", _token), .. fields.Select(static field => KeyValuePair.Create(field.Name, field.Value))]);
        using var response = await _http.PostAsync(path, form, Canceled);
        return await AnswerAsync(response);
    }

    public Task<Answer> BuyAsync(int product) => PostAsync("/cart", ("product", $"{product}"));

    public Task<Answer> ChangePriceAsync(int product, string price) => PostAsync("/prices", ("product", $"{product}"), ("price", price));

    /// <summary>Loses the token of its page.</summary>
    public void ForgetToken() => _token = "";

    public void Dispose() => _http.Dispose();

    static async Task<Answer> AnswerAsync(HttpResponseMessage response) =>
        new(response.StatusCode, await response.Content.ReadAsStringAsync(Canceled), response.Headers.TryGetValues("Shop-Node", out var nodes) ? nodes.Single() : "");

    [GeneratedRegex("""name="__RequestVerificationToken" value="([^"]+)""")]
    private static partial Regex Token();
}

/// <summary>A response, and the node that has sent it.</summary>
sealed record Answer(HttpStatusCode Status, string Text, string Node);
