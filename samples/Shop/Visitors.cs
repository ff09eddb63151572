using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Datacake.Shop;

/// <summary>The ids of visitors, in cookies that all nodes can read and only they can make.</summary>
sealed class Visitors(IDataProtectionProvider protection)
{
    const string Cookie = ".Shop.Visitor";

    readonly IDataProtector _protector = protection.CreateProtector("visitors");

    /// <summary>Returns the id of the visitor, who gets one with the first page.</summary>
    public string Recognize(HttpContext context)
    {
        try
        {
            if (context.Request.Cookies[Cookie] is { } known)
                return _protector.Unprotect(known);
        }
        catch (CryptographicException)
        {
            // A cookie of another shop at this address.
        }
        string id = $"{Guid.NewGuid()}";
        context.Response.Cookies.Append(Cookie, _protector.Protect(id), new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax });
        return id;
    }
}
