"""Networks of finite width over all rotations, one lifting and one group convolution, drawn weight by weight.

A filter of white noise on SO(3) takes the coefficients s^l_mn of a channel to sum_p s^l_mp W^l_np / (2l+1)^(1/2). The
NTK is that of automatic differentiation, averaged over the readout's weights.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.groups.so3 import real_waves


@functools.partial(jax.jit, static_argnums=(0, 1, 4))
def draw(function, degrees, signal, key, n, scales, waves, weights):
    """Kernel and NTK of one network's output at one signal, real coefficients [channels, degrees^2]."""
    number = sum((2 * l + 1) ** 2 for l in range(degrees))

    def pooled(moved):
        lifting, lifted, filters, bias = moved
        # A lifted channel's coefficients are products of the signal's m and the weights' n.
        blocks, start = [], 0
        for l in range(degrees):
            size, own = 2 * l + 1, slice(start, start + 2 * l + 1)
            start += size
            if start > signal.shape[1]:
                blocks.append(jnp.zeros((n, size * size)))
                continue
            outer = jnp.einsum("cm,kcn->kmn", signal[:, own], lifting[:, :, own]) / size**0.5
            blocks.append(outer.reshape(n, -1))
        z = jnp.concatenate(blocks, axis=1) @ waves.T + lifted[:, None]
        s = function(z)
        coefficients, blocks, start = (s * weights) @ waves, [], 0
        for l in range(degrees):
            size, own = 2 * l + 1, slice(start, start + (2 * l + 1) ** 2)
            start += size**2
            left, right = coefficients[:, own].reshape(n, size, size), filters[..., own].reshape(n, n, size, size)
            blocks.append(jnp.einsum("kmp,iknp->imn", left, right).reshape(n, -1) / (size * n) ** 0.5)
        z = jnp.concatenate(blocks, axis=1) @ waves.T + bias[:, None]
        return function(z) @ weights

    shapes = ((n, *signal.shape), (n,), (n, n, number), (n,))
    sizes = (scales["weight_variance"], scales["bias_variance"]) * 2
    rates = (scales["weight_rate"], scales["bias_rate"]) * 2
    keys = jax.random.split(key, 4)
    start = [size**0.5 * jax.random.normal(k, shape) for size, k, shape in zip(sizes, keys, shapes, strict=True)]
    value, jacobian = pooled(start), jax.jacrev(pooled)(start)
    square = jnp.mean(value**2)
    moving = sum(rate * jnp.sum(j.reshape(n, -1) ** 2, axis=1) for rate, j in zip(rates, jacobian, strict=True))
    kernel = scales["bias_variance"] + scales["weight_variance"] * square
    ntk = scales["bias_rate"] + scales["weight_rate"] * square + scales["weight_variance"] * jnp.mean(moving)
    return kernel, ntk


def sample(function, degrees, signal, n, number, seed, scales, batch=64):
    """Kernels and NTKs [number, 2] of networks of width n, of one signal of mean square 1/channels sum of squares."""
    waves, weights = real_waves(degrees, degrees)
    one = jax.vmap(lambda key: draw(function, degrees, signal, key, n, scales, waves[1:], weights[1:]))
    keys = jax.random.split(jax.random.key(seed), number).reshape(-1, batch)
    return np.concatenate([np.stack(one(chunk), axis=-1) for chunk in keys])
