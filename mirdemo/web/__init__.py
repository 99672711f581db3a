from mirdemo.web import lean_gradio

lean_gradio.prepare()
